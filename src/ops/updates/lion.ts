import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/updates/lion.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; p: "write"; g: "read"; m: "write" }> = source;

export interface LionAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly decay: number;
}

/** Lion's step, in place. rate [1]; m is the mean of the gradients. */
export const lion = defineOp({
  name: "lion",
  inputs: ["p", "g", "rate", "m"],
  outputs: [],
  attributes: typed<LionAttributes>(),
  infer: (inputs, _, where) => inferUpdate(inputs, where),
  updates: ["p", "m"],
  lower: ({ inputs, attributes: { beta1, beta2, decay } }) => [
    dispatchUpdate(kernel, inputs.p.shape, ["p", "m"], {
      bind: inputs,
      constants: {
        BETA_1: beta1,
        BETA_2: beta2,
        GAIN_1: 1 - beta1,
        GAIN_2: 1 - beta2,
        DECAY: decay,
      },
      libraries: [nanSource],
    }),
  ],
});
