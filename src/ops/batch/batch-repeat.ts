import source from "../../../shaders/batch/batch_repeat.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

/** One number for each row of a batch: y[r] = x; x [1], y [batch]. It only serves figures, so it has no gradient. */
export const batchRepeat = defineOp({
  name: "batchRepeat",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<{ readonly batch: number }>(),
  infer: (_, { batch }) => ({ y: { shape: [batch], dtype: "f32" } }),
  lower: ({ inputs, outputs, attributes: { batch: BATCH } }) => [
    dispatchEach(kernel, BATCH, { bind: { ...inputs, ...outputs }, constants: { BATCH } }),
  ],
});
