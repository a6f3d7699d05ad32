import source from "../../../shaders/mix/cut_rows.wgsl";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ x: "read"; partners: "read"; weights: "read"; draws: "read"; y: "write" }> = source;

/**
 * Images with a box of another one of the batch: y[r] = x[partners[r]] within the box of row r, x[r] outside. x [batch, height, width] or
 * [batch, height, width, channels], partners and weights [batch], draws [batch, 2] uniform in [0, 1). The box covers 1 - weights[r] of the
 * image; the draws say where it lies. It cuts data, so it has no gradient.
 */
export const cutRows = defineOp({
  name: "cutRows",
  inputs: ["x", "partners", "weights", "draws"],
  outputs: ["y"],
  infer: ({ x }) => ({ y: { shape: x.shape, dtype: "f32" } }),
  sharesDispatch: true,
  lower: ({ inputs: { x, partners, weights, draws }, outputs: { y } }) => {
    const [batch, height, width] = x.shape as readonly [number, number, number];
    const pixels = batch * height * width;
    const channels = elements(x.shape) / pixels;
    return [
      dispatchEach(kernel, pixels * ceilDiv(channels, 4), {
        bind: { x, partners, weights, draws, y },
        constants: { BATCH: batch, H: height, W: width, C: channels },
        libraries: [operand("x", channels), output("y", channels)],
      }),
    ];
  },
});
