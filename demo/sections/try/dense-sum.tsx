import type { LayerView } from "../../engine/reader.ts";
import { short } from "../../ui/numbers.ts";
import { weights } from "./state.ts";

const LISTED = 8;

/** The largest products of a neuron's sum, and the rest in one number. */
export function DenseSum({ view, unit, input }: { view: LayerView; unit: number; input: Float32Array }) {
  const known = weights.value;
  const value = view.data[unit]!;
  const activation = view.spec.kind === "dense" ? view.spec.activation : "linear";
  const title = (
    <h3>
      {view.name}, neuron {unit + 1} of {view.shape[0]}: <output id="try-value">{short(value, 4)}</output>
    </h3>
  );
  if (known?.kernel.length !== input.length) return title;
  const terms = [...input].map((number, i) => ({
    i,
    number,
    weight: known.kernel[i]!,
    product: number * known.kernel[i]!,
  }));
  const total = terms.reduce((sum, { product }) => sum + product, 0) + known.bias;
  const largest = terms.toSorted((a, b) => Math.abs(b.product) - Math.abs(a.product)).slice(0, LISTED);
  const rest = total - known.bias - largest.reduce((sum, { product }) => sum + product, 0);
  return (
    <>
      {title}
      <p class="sum">
        It multiplies each of its {input.length} inputs by a weight of its own. The {largest.length} largest products:
      </p>
      <table class="terms">
        <thead>
          <tr>
            <th scope="col">Input</th>
            <th scope="col">Value</th>
            <th scope="col">Weight</th>
            <th scope="col">Product</th>
          </tr>
        </thead>
        <tbody>
          {largest.map(({ i, number, weight, product }) => (
            <tr key={i}>
              <th scope="row">{i + 1}</th>
              <td>{short(number, 4)}</td>
              <td>{short(weight, 4)}</td>
              <td>{short(product, 4)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="sum">
        All others {short(rest, 4)}, bias {short(known.bias, 4)}: the sum is {short(total, 4)}
        {activation === "softmax"
          ? `. Softmax makes ${view.shape[0]} such sums into probabilities, e to the power of each by the sum of all: ${short(value, 4)}.`
          : activation === "linear"
            ? "."
            : `; ${activation} makes it ${short(value, 4)}.`}
      </p>
    </>
  );
}
