import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/updates/adam.wgsl";
import oneMinusExpSource from "../../../shaders/updates/lib/one_minus_exp.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate, logarithm } from "./update.ts";

const kernel: Kernel<{ state: "read"; rate: "read"; p: "write"; g: "read"; moments: "write" }> = source;

export interface AdamAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly amsgrad: boolean;
  readonly decay: number;
}

/** Adam's step, in place. rate [1]; moments [2, ...p], or [3, ...p] with the largest v so far. */
export const adam = defineOp({
  name: "adam",
  inputs: ["p", "g", "rate", "state", "moments"],
  outputs: [],
  attributes: typed<AdamAttributes>(),
  infer: (inputs, _, where) => inferUpdate(inputs, where),
  updates: ["p", "moments"],
  lower: ({ inputs, attributes: { beta1, beta2, epsilon, amsgrad, decay } }) => [
    dispatchUpdate(kernel, inputs.p.shape, ["p", "moments"], {
      bind: inputs,
      constants: {
        GAIN_1: 1 - beta1,
        GAIN_2: 1 - beta2,
        LOG_1: logarithm(beta1),
        LOG_2: logarithm(beta2),
        EPSILON: epsilon,
        AMSGRAD: amsgrad,
        DECAY: decay,
      },
      libraries: [stateSource, nanSource, oneMinusExpSource],
    }),
  ],
});
