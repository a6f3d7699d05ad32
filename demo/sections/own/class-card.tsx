import { count } from "../../ui/numbers.ts";
import { UNIT_RANGE } from "../../ui/palette.ts";
import { Thumbnail } from "../../ui/thumbnail.tsx";
import {
  addImages,
  classes,
  FEWEST_CLASSES,
  LONGEST_NAME,
  MOST_IMAGES,
  type OwnClass,
  removeClass,
  removeImage,
  rename,
  showing,
  shown,
} from "./state.ts";

interface ClassCardProps {
  readonly one: OwnClass;
  readonly index: number;
  /** Called when what is shown was taken as an image of the class. */
  readonly onTaken: () => void;
}

/** A class: its name, its images, and the button that adds what is drawn or before the camera. */
export function ClassCard({ one, index, onTaken }: ClassCardProps) {
  const { name, images } = one;
  const full = images.length >= MOST_IMAGES;
  return (
    <li class="sheet class-card">
      <div class="class-head">
        <input
          type="text"
          aria-label={`Name of class ${index + 1}`}
          value={name}
          maxLength={LONGEST_NAME}
          required
          onChange={(event) => rename(index, event.currentTarget.value.trim() || `class ${index + 1}`)}
        />
        {classes.value.length > FEWEST_CLASSES && (
          <button type="button" class="quiet" aria-label={`Remove class ${name}`} onClick={() => removeClass(index)}>
            Remove
          </button>
        )}
      </div>
      <button
        type="button"
        class="own-add"
        disabled={!showing.value || full}
        onClick={() => {
          addImages(index, [shown.peek()!]);
          onTaken();
        }}
      >
        {full ? `${MOST_IMAGES} images are enough` : `Add to ${name}`}
      </button>
      <p class="class-count">{images.length === 1 ? "1 image" : `${count(images.length)} images`}</p>
      <ul class="class-images">
        {images.map((pixels, i) => (
          <li key={i}>
            <button
              type="button"
              title="Remove"
              aria-label={`Remove image ${i + 1} of ${name}`}
              onClick={() => removeImage(index, i)}
            >
              <Thumbnail values={pixels} range={UNIT_RANGE} palette="plain" />
            </button>
          </li>
        ))}
      </ul>
    </li>
  );
}
