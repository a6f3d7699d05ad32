import source from "../../../shaders/updates/adadelta.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; p: "write"; g: "read"; averages: "write" }> = source;

export interface AdadeltaAttributes {
  readonly rho: number;
  readonly epsilon: number;
  readonly decay: number;
}

/** Adadelta's step, in place. rate [1]; averages [2, ...p]: the means of the gradients' squares and of the changes' squares. */
export const adadelta = defineOp({
  name: "adadelta",
  inputs: ["p", "g", "rate", "averages"],
  outputs: [],
  attributes: typed<AdadeltaAttributes>(),
  infer: (inputs, _, where) => inferUpdate(inputs, where),
  updates: ["p", "averages"],
  lower: ({ inputs, attributes: { rho, epsilon, decay } }) => [
    dispatchUpdate(kernel, inputs.p.shape, ["p", "averages"], {
      bind: inputs,
      constants: {
        RHO: rho,
        GAIN: 1 - rho,
        EPSILON: epsilon,
        DECAY: decay,
      },
    }),
  ],
});
