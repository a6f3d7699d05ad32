import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/updates/rmsprop.wgsl";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; p: "write"; g: "read"; v: "write"; a: "write?"; m: "write?" }> = source;

export type RmspropAttributes = {
  readonly rho: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly centered: boolean;
};

/**
 * RMSprop's step, in place. Inputs: p, g, rate [1], the mean square v, then the momentum m, if it is not 0, and, centered,
 * the mean a.
 */
const rmsprop = defineOp<RmspropAttributes>({
  name: "rmsprop",
  infer: inferUpdate,
  updates: () => [0, 3, 4, 5],
  lower: ({ inputs: [p, g, rate, v, ...rest], attributes: { rho, momentum, epsilon, centered } }) => {
    const m = momentum > 0 ? rest[0] : undefined;
    const a = centered ? rest.at(-1) : undefined;
    const changed = ["p", "v", ...(m ? ["m"] : []), ...(a ? ["a"] : [])];
    return [
      dispatchUpdate(kernel, p!.shape, changed, {
        bind: { p: p!, g: g!, rate: rate!, v: v!, m, a },
        constants: { RHO: rho, GAIN: 1 - rho, EPSILON: epsilon, CENTERED: centered, MOMENTUM: momentum },
        libraries: [nanSource],
      }),
    ];
  },
});

export const rmspropOps = [rmsprop];
