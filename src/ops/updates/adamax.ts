import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/updates/adamax.wgsl";
import oneMinusExpSource from "../../../shaders/updates/lib/one_minus_exp.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate, logarithm } from "./update.ts";

const kernel: Kernel<{ state: "read"; rate: "read"; p: "write"; g: "read"; moments: "write" }> = source;

export interface AdamaxAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
}

/** Adamax's step, in place. rate [1]; moments [2, ...p]: the mean of the gradients, and their largest size, which fades. */
export const adamax = defineOp({
  name: "adamax",
  inputs: ["p", "g", "rate", "state", "moments"],
  outputs: [],
  attributes: typed<AdamaxAttributes>(),
  infer: (inputs, _, where) => inferUpdate(inputs, where),
  updates: ["p", "moments"],
  lower: ({ inputs, attributes: { beta1, beta2, epsilon, decay } }) => [
    dispatchUpdate(kernel, inputs.p.shape, ["p", "moments"], {
      bind: inputs,
      constants: {
        GAIN_1: 1 - beta1,
        LOG_1: logarithm(beta1),
        BETA_2: beta2,
        EPSILON: epsilon,
        DECAY: decay,
      },
      libraries: [stateSource, nanSource, oneMinusExpSource],
    }),
  ],
});
