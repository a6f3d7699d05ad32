import source from "../../../shaders/clipping/square_sum.wgsl";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";
import { operand } from "../access.ts";

const kernel: Kernel<{ x: "read"; sums: "write" }> = source;

/** Numbers that a workgroup adds at least, if there are as many. */
const LEAST = 4096;

/** sums [groups]: the squares of x, in at most 64 parts. Their sum is that of all. */
export const squareSum = defineOp({
  name: "squareSum",
  inputs: ["x"],
  outputs: ["sums"],
  infer: ({ x }) => ({ sums: { shape: [Math.min(64, ceilDiv(elements(x.shape), LEAST))], dtype: "f32" } }),
  lower: ({ inputs, outputs }) => {
    const SIZE = elements(inputs.x.shape);
    const GROUPS = outputs.sums.shape[0]!;
    return [
      dispatch(kernel, {
        bind: { ...inputs, ...outputs },
        constants: { SIZE, GROUPS },
        libraries: [operand("x", SIZE)],
        workgroups: [GROUPS, 1, 1],
      }),
    ];
  },
});
