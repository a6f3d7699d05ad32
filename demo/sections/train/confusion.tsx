import { DIGITS } from "../../network.ts";
import { right, shareRight, verdict } from "../../state/training.ts";
import { count, percent } from "../../ui/numbers.ts";

const digits = Array.from({ length: DIGITS }, (_, digit) => digit);

/** Which digit is taken for which. */
export function Confusion() {
  const { counts, images } = verdict.value ?? {};
  return (
    <figure class="confusion">
      <figcaption>
        <h3>Which digit it takes for which</h3>
        <p class="small" id="confusion-images">
          {images
            ? `${count(right.value!)} of the first ${count(images)} test images are right: ${percent(shareRight.value!)}.`
            : "Rows: what the digit is. Columns: what the network reads."}
        </p>
      </figcaption>
      <table id="confusion">
        <caption class="unseen">Rows: what the digit is. Columns: what the network reads.</caption>
        <thead>
          <tr>
            <td class="corner">
              <span aria-hidden="true">is \ read</span>
            </td>
            {digits.map((digit) => (
              <th key={digit} scope="col">
                {digit}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {digits.map((truth) => (
            <tr key={truth}>
              <th scope="row">{truth}</th>
              {digits.map((read) => (
                <Count key={read} truth={truth} read={read} counts={counts} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}

/** As deep in colour as its share of the row. */
function Count({ truth, read, counts }: { truth: number; read: number; counts: Uint32Array | undefined }) {
  const row = counts?.subarray(truth * DIGITS, (truth + 1) * DIGITS);
  const value = row?.[read] ?? 0;
  const all = row?.reduce((sum, one) => sum + one, 0) ?? 0;
  const share = all === 0 ? 0 : value / all;
  // Rare mistakes are to be seen, too.
  const depth = value === 0 || truth === read ? share : Math.max(0.12, Math.min(1, share * 4));
  return (
    <td class={value === 0 ? "none" : truth === read ? "hit" : "miss"} style={{ "--depth": depth.toFixed(2) }}>
      {counts ? count(value) : ""}
    </td>
  );
}
