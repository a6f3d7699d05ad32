import source from "../../../shaders/updates/adagrad.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; p: "write"; g: "read"; s: "write" }> = source;

/** Adagrad's step, in place. rate [1]; s is the sum of squares so far, to which `offset` is added. */
export const adagrad = defineOp({
  name: "adagrad",
  inputs: ["p", "g", "rate", "s"],
  outputs: [],
  attributes: typed<{ readonly offset: number; readonly decay: number }>(),
  infer: (inputs, _, where) => inferUpdate(inputs, where),
  updates: ["p", "s"],
  lower: ({ inputs, attributes: { offset, decay } }) => [
    dispatchUpdate(kernel, inputs.p.shape, ["p", "s"], { bind: inputs, constants: { OFFSET: offset, DECAY: decay } }),
  ],
});
