import source from "../../../shaders/elementwise/add.wgsl";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchPairwise, pairwiseOutput } from "./pairwise.ts";

const kernel: Kernel<{ a: "read"; b: "read"; c: "write" }> = source;

/** Sum c = a + b of tensors of one shape. It also adds the gradients of a tensor that is read twice. */
export const add = defineOp({
  name: "add",
  inputs: ["a", "b"],
  outputs: ["c"],
  infer: (inputs, _, where) => pairwiseOutput(inputs, "adds", where),
  gradient: ({ gradients: { c } }) => ({ a: c, b: c }),
  lower: ({ inputs, outputs }) => dispatchPairwise(kernel, inputs, outputs),
});
