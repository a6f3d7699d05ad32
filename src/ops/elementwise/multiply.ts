import source from "../../../shaders/elementwise/multiply.wgsl";
import { defineOp, type NoAttributes, type Op } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchPairwise, pairwiseOutput } from "./pairwise.ts";

const kernel: Kernel<{ a: "read"; b: "read"; c: "write" }> = source;

/** Product c = a * b, element by element, of tensors of one shape: da = dc * b, db = dc * a. */
export const multiply: Op<"a" | "b", "c", NoAttributes> = defineOp({
  name: "multiply",
  inputs: ["a", "b"],
  outputs: ["c"],
  infer: (inputs, _, where) => pairwiseOutput(inputs, "multiplies", where),
  gradient: ({ gradients: { c: dc }, inputs: { a, b }, wanted, add }) => ({
    a: wanted.a ? add(multiply, { a: dc!, b }).c : undefined,
    b: wanted.b ? add(multiply, { a: dc!, b: a }).c : undefined,
  }),
  lower: ({ inputs, outputs }) => dispatchPairwise(kernel, inputs, outputs),
});
