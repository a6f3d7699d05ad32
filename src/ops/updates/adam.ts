import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/updates/adam.wgsl";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ state: "read"; rate: "read"; p: "write"; g: "read"; moments: "write" }> = source;

export type AdamAttributes = {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly amsgrad: boolean;
  readonly decay: number;
};

/** Adam's step, in place. Inputs: p, g, rate [1], state, moments [2, ...p], or [3, ...p] with the largest v so far. */
const adam = defineOp<AdamAttributes>({
  name: "adam",
  infer: inferUpdate,
  updates: () => [0, 4],
  lower: ({ inputs: [p, g, rate, state, moments], attributes: { beta1, beta2, epsilon, amsgrad, decay } }) => {
    return [
      dispatchUpdate(kernel, p!.shape, ["p", "moments"], {
        bind: { p: p!, g: g!, rate: rate!, state: state!, moments: moments! },
        constants: {
          GAIN_1: 1 - beta1,
          GAIN_2: 1 - beta2,
          LOG_1: logarithm(beta1),
          LOG_2: logarithm(beta2),
          EPSILON: epsilon,
          AMSGRAD: amsgrad,
          DECAY: decay,
        },
        libraries: [stateSource, nanSource],
      }),
    ];
  },
});

/** Finite for a beta of 0 too, whose powers are then as good as 0. */
function logarithm(beta: number): number {
  return Math.max(Math.log(beta), -100);
}

export const adamOps = [adam];
