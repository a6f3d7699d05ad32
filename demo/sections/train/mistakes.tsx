import { verdict } from "../../state/training.ts";
import { Digit } from "../../ui/digit.tsx";
import { percent } from "../../ui/numbers.ts";

/** Where it is surest, and wrong. */
export function Mistakes() {
  const mistakes = verdict.value?.mistakes;
  return (
    <div class="mistakes">
      <h3>Where it is surest, and wrong</h3>
      <p class="small">
        {mistakes === undefined
          ? "Shown once it has learned for a while."
          : mistakes.length > 0
            ? "In red, what it reads, and how sure it is."
            : "It reads every one of these images."}
      </p>
      <ol id="mistakes">
        {mistakes?.map(({ index, truth, read, probability, pixels }) => (
          <li key={index}>
            <Digit pixels={pixels} label={`Test image ${index}`} />
            <span>
              <b class="wrong">{read}</b> <span class="small">{percent(probability)}</span>
            </span>
            <span class="small">is a {truth}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
