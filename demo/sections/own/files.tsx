import { useSignal } from "@preact/signals";
import { pixelsOfFiles } from "./image-files.ts";
import { addImages, classes, MOST_IMAGES } from "./state.ts";

/** A file picker a class; files can be dropped on it too. */
export function Files() {
  const problem = useSignal("");
  const take = async (to: number, files: FileList | null | undefined) => {
    problem.value = "";
    const { name, images } = classes.value[to]!;
    const all = [...(files ?? [])];
    const taken = all.slice(0, MOST_IMAGES - images.length);
    try {
      addImages(to, await pixelsOfFiles(taken));
      if (taken.length < all.length)
        problem.value = `“${name}” has ${MOST_IMAGES} images, which are enough: ${all.length - taken.length} were left out.`;
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
