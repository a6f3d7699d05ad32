import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/updates/moving_average.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, sameShape, showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, output } from "../access.ts";

const kernel: Kernel<{ state: "read"; p: "write"; average: "write" }> = source;

export interface MovingAverageAttributes {
  /** Share of the average that is kept from step to step. */
  readonly momentum: number;
  /** Updates after each of which p becomes its average; 0: never. */
  readonly overwrite: number;
  /** Steps that make one update. */
  readonly steps: number;
}

/**
 * Moves the average of a parameter p, in place: average := momentum average + (1 - momentum) p, during the first update p itself. It runs
 * after the nodes that stepped p before it was added, and may change p too.
 */
export const movingAverage = defineOp({
  name: "movingAverage",
  inputs: ["state", "p", "average"],
  outputs: [],
  attributes: typed<MovingAverageAttributes>(),
  infer: ({ p, average }, _, where) => {
    if (sameShape(p.shape, average.shape)) return {};
    const shapes = `${showShape(p.shape)} to an average of ${showShape(average.shape)}`;
    throw new FeaturemapError("shape", `"${where}" adds a parameter of ${shapes}.`);
  },
  // A node that only reads a parameter would run before it is stepped.
  updates: ["p", "average"],
  lower: ({ inputs, attributes: { momentum, overwrite, steps } }) => {
    const SIZE = elements(inputs.p.shape);
    return [
      dispatchEach(kernel, ceilDiv(SIZE, 4), {
        bind: inputs,
        constants: { SIZE, MOMENTUM: momentum, OVERWRITE: overwrite, STEPS: steps },
        libraries: [stateSource, output("p", SIZE), output("average", SIZE)],
      }),
    ];
  },
});
