import { short } from "../../ui/numbers.ts";
import { map, walk } from "./state.ts";

const DIGITS_SHOWN = 3;

/** What the kernel computes at its place, written out, and what the GPU made of it. */
export function Products() {
  const answer = map.value;
  const { row, column } = walk.cell.value;
  if (!answer?.value || row >= answer.value.rows || column >= answer.value.columns) {
    return <p class="products-room">The sum at the kernel's place is written here once the map is computed.</p>;
  }
  const { image, kernel } = answer.question;
  const pairs = Array.from(kernel.values, (weight, i) => {
    const [y, x] = [row + Math.floor(i / kernel.columns), column + (i % kernel.columns)];
    return { value: image.values[y * image.columns + x]!, weight };
  });
  const sum = pairs.reduce((total, { value, weight }) => total + value * weight, 0);
  const cell = answer.value.values[row * answer.value.columns + column]!;
  const live = walk.playing.value ? "off" : "polite";
  return (
    <div class="written">
      <ol
        class="products"
        style={{ "--columns": kernel.columns }}
        data-size={kernel.columns}
        aria-label="Products of pixels and weights"
      >
        {pairs.map(({ value, weight }, i) => (
          <li key={i} class={value * weight === 0 ? "nothing" : undefined} data-product={value * weight}>
            <span>{short(value, DIGITS_SHOWN)}</span> <span>× {short(weight, DIGITS_SHOWN)}</span>
            <b>
              <span class="equals">= </span>
              {short(value * weight, DIGITS_SHOWN)}
            </b>
          </li>
        ))}
      </ol>
      <div class="total">
        <p>Each pixel under the kernel times the weight over it; all {pairs.length} products added:</p>
        <p class="figure">
          <output id="convolution-sum" data-value={sum} aria-live={live}>
            {short(sum, DIGITS_SHOWN)}
          </output>
        </p>
        <p>
          That is the cell in row {row + 1}, column {column + 1} of the feature map. The shader, a small program that
          runs for all cells at once, computed{" "}
          <output id="convolution-cell" data-row={row} data-column={column} data-value={cell} aria-live="off">
            {short(cell, DIGITS_SHOWN)}
          </output>
          .
        </p>
      </div>
    </div>
  );
}
