import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/updates/accumulate_gradient.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { elements, sameShape, showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { output } from "../access.ts";
import { dispatchUpdate } from "./update.ts";

const kernel: Kernel<{ state: "read"; g: "read"; sum: "write"; y: "write" }> = source;

export interface AccumulationAttributes {
  /** Steps whose gradients make one update, at least 2. */
  readonly steps: number;
}

/** Adds a gradient to the sum of those before it, in place. y = (sum + g) / steps; after every `steps` steps the sum is 0 again. */
export const accumulateGradient = defineOp({
  name: "accumulateGradient",
  inputs: ["state", "g", "sum"],
  outputs: ["y"],
  attributes: typed<AccumulationAttributes>(),
  infer: ({ g, sum }, _, where) => {
    if (sameShape(g.shape, sum.shape)) return { y: g };
    const shapes = `${showShape(g.shape)} to a sum of ${showShape(sum.shape)}`;
    throw new FeaturemapError("shape", `"${where}" adds a gradient of ${shapes}.`);
  },
  updates: ["sum"],
  lower: ({ inputs, outputs, attributes: { steps } }) => [
    dispatchUpdate(kernel, inputs.g.shape, ["sum"], {
      bind: { ...inputs, ...outputs },
      constants: { STEPS: steps },
      libraries: [stateSource, output("y", elements(inputs.g.shape))],
    }),
  ],
});
