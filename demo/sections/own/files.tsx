import { useSignal } from "@preact/signals";
import { pixelsOfFiles } from "./image-files.ts";
import { addImages, classes } from "./state.ts";

/** A file picker a class; files can be dropped on it too. */
export function Files() {
  const problem = useSignal("");
  const take = async (to: number, files: FileList | null | undefined) => {
    problem.value = "";
    try {
      addImages(to, await pixelsOfFiles(files ?? []));
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  return (
    <div class="files">
      {classes.value.map(({ name }, index) => (
        <label
          key={index}
          class="file-drop"
          onDragOver={(event) => event.preventDefault()}
          onDrop={(event) => {
            event.preventDefault();
            void take(index, event.dataTransfer?.files);
          }}
        >
          <span>
            Images of <b>{name}</b>
          </span>
          <input
            type="file"
            accept="image/*"
            multiple
            onChange={(event) => {
              const input = event.currentTarget;
              void take(index, input.files).then(() => {
                input.value = "";
              });
            }}
          />
        </label>
      ))}
      <p class="problem-line" role="alert">
        {problem.value}
      </p>
    </div>
  );
}
