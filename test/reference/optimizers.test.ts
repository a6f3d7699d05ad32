import { describe, it } from "vitest";
import { uniform } from "../../cli/keras/formula.ts";
import more from "../golden/more-optimizers.json";
import golden from "../golden/optimizers.json";
import { expectClose } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import { type OptimizerOptions, referenceOptimizer } from "./optimizers.ts";

const runs = [...golden.runs, ...more.runs] as {
  optimizer: string;
  options: OptimizerOptions;
  parameters: number[][];
}[];

describe("the reference of the optimizers", () => {
  it.each(runs)("steps as Keras does: $optimizer $options", ({ optimizer, options, parameters }) => {
    const { kept, step } = referenceOptimizer(optimizer, options);
    const size = parameters[0]!.length;
    const p = Float64Array.from({ length: size }, (_, i) => Math.fround(2 * uniform(1, i) - 1));
    const slots = Array.from({ length: kept }, () => new Float64Array(size));
    parameters.forEach((want, i) => {
      const g = Float32Array.from(
        { length: size },
        (_, at) => (at > 0 ? 2 * uniform(101 + i, at) - 1 : 0) * 10 ** ((at % 4) - 3),
      );
      step({ p, g, kept: slots, t: i + 1 });
      expectClose(p, want, tolerances.kerasOptimizer, `step ${i + 1}`);
    });
  });
});
