import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/updates/rmsprop.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; p: "write"; g: "read"; v: "write"; a: "write?"; m: "write?" }> = source;

export interface RmspropAttributes {
  readonly rho: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly centered: boolean;
  readonly decay: number;
}

/** RMSprop's step, in place. rate [1]; v is the mean square, m the momentum if it is not 0, a the mean if `centered`. */
export const rmsprop = defineOp({
  name: "rmsprop",
  inputs: ["p", "g", "rate", "v", "m?", "a?"],
  outputs: [],
  attributes: typed<RmspropAttributes>(),
  infer: (inputs, _, where) => inferUpdate(inputs, where),
  updates: ["p", "v", "m", "a"],
  lower: ({ inputs, attributes: { rho, momentum, epsilon, centered, decay } }) => {
    const changed = (["p", "v", "m", "a"] as const).filter((name) => inputs[name] !== undefined);
    return [
      dispatchUpdate(kernel, inputs.p.shape, changed, {
        bind: inputs,
        constants: { RHO: rho, GAIN: 1 - rho, EPSILON: epsilon, CENTERED: centered, MOMENTUM: momentum, DECAY: decay },
        libraries: [nanSource],
      }),
    ];
  },
});
