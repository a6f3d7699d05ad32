import { percent, short } from "../../ui/numbers.ts";
import { windowCells } from "./kept.ts";
import { kept, late, pooled, walk } from "./state.ts";

const DIGITS_SHOWN = 3;

/** What the window makes of its numbers, and what is left of all of them. */
export function Result() {
  return (
    <div class="explanation">
      <WindowNumbers />
      <Discarded />
    </div>
  );
}

function WindowNumbers() {
  const answer = pooled.value;
  const { row, column } = walk.cell.value;
  if (late.value || !answer?.value) return <p class="window-room">What the window computes is written here.</p>;
  const { image, kind, size, stride } = answer.question;
  const out = answer.value.values[row * answer.value.columns + column]!;
  const numbers = windowCells(image.columns, { row, column }, size, stride).map((cell) => image.values[cell]!);
  const greatest = kind === "max" ? numbers.indexOf(out) : -1;
  return (
    <div class="window-room">
      <ol class="products" style={{ "--columns": size }} aria-label="Numbers under the window">
        {numbers.map((number, i) => (
          <li key={i} class={i === greatest ? "greatest" : undefined} data-number={number}>
            {short(number, DIGITS_SHOWN)}
          </li>
        ))}
      </ol>
      <p>
        {kind === "max" ? "The greatest of these" : `The sum of these, divided by ${numbers.length}`}:{" "}
        <output id="pooling-cell" data-row={row} data-column={column} data-value={out} aria-live="off">
          {short(out, DIGITS_SHOWN)}
        </output>
      </p>
    </div>
  );
}

function Discarded() {
  const result = kept.value;
  const answer = pooled.value;
  if (!result || !answer?.value) return <p class="discarded">&nbsp;</p>;
  const left = answer.question.kind === "max" ? result.cells.length : answer.value.values.length;
  return (
    <p class="discarded">
      <output id="pooling-discarded" data-value={result.share} aria-live="off">
        {percent(result.share)}
      </output>{" "}
      {answer.question.kind === "max"
        ? `discarded: ${left} of ${result.all} numbers are kept, the others are gone.`
        : `fewer numbers: ${left} means stand for ${result.all}.`}
    </p>
  );
}
