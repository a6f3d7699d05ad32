import source from "../../../shaders/updates/nadam.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; factors: "read"; p: "write"; g: "read"; moments: "write" }> = source;

export interface NadamAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly decay: number;
}

/** Nadam's step, in place. rate [1]; factors [3] of `nadamFactors`; moments [2, ...p]. */
export const nadam = defineOp({
  name: "nadam",
  inputs: ["p", "g", "rate", "factors", "moments"],
  outputs: [],
  attributes: typed<NadamAttributes>(),
  infer: (inputs, _, where) => inferUpdate(inputs, where),
  updates: ["p", "moments"],
  lower: ({ inputs, attributes: { beta1, beta2, epsilon, decay } }) => [
    dispatchUpdate(kernel, inputs.p.shape, ["p", "moments"], {
      bind: inputs,
      constants: {
        GAIN_1: 1 - beta1,
        GAIN_2: 1 - beta2,
        EPSILON: epsilon,
        DECAY: decay,
      },
    }),
  ],
});
