import source from "../../../shaders/mix/mix_rows.wgsl";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ x: "read"; partners: "read"; weights: "read"; y: "write" }> = source;

/**
 * Rows mixed with others of the batch: y[r] = w x[r] + (1 - w) x[p], with w = weights[r] and p = partners[r]. x [batch, ...], partners and
 * weights [batch]. It mixes data, so it has no gradient.
 */
export const mixRows = defineOp({
  name: "mixRows",
  inputs: ["x", "partners", "weights"],
  outputs: ["y"],
  infer: ({ x }) => ({ y: { shape: x.shape, dtype: "f32" } }),
  sharesDispatch: true,
  lower: ({ inputs: { x, partners, weights }, outputs: { y } }) => {
    const batch = x.shape[0]!;
    const size = elements(x.shape) / batch;
    return [
      dispatchEach(kernel, batch * ceilDiv(size, 4), {
        bind: { x, partners, weights, y },
        constants: { BATCH: batch, SIZE: size },
        libraries: [operand("x", size), output("y", size)],
      }),
    ];
  },
});
