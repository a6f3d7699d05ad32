import { aFunction, anObject, aWord, cut, FeaturemapError, oneOf } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { sampleFactors } from "../ops/batch/sample-factors.ts";
import type { Loss } from "./loss.ts";

const REDUCTIONS = ["sumOverBatchSize", "mean", "sum", "meanWithSampleWeight", "none"] as const;

/**
 * Reduction of a batch's losses to one number, as in Keras: `sumOverBatchSize` (default) and `mean` divide the weighted sum by the number of
 * losses, `sum` by nothing, `meanWithSampleWeight` by the sum of the sample weights. `none` leaves a loss for each sample, by which no
 * model can be stepped.
 */
export type Reduction = (typeof REDUCTIONS)[number];

/**
 * Gives a loss another reduction than the mean over a batch: Keras's option `reduction` (`keras/src/losses/loss.py`). The figure `loss`
 * of several batches is the mean of theirs, each weighed by its samples, as in Keras.
 *
 * @param positions Losses that a sample has, for an output of such a shape: the pixels of an image. The loss itself gives their mean.
 *   Default 1.
 * @throws FeaturemapError `value` for something that is no loss or no reduction, and for `none`. Keras on JAX trains no model by that,
 *   either.
 * @example
 * await model.compile({ loss: withReduction(squaredError, "sum"), optimizer: sgd() });
 */
export function withReduction(
  loss: Loss,
  reduction: Reduction = "sumOverBatchSize",
  positions: (output: Shape) => number = () => 1,
): Loss {
  const given = "withReduction: loss";
  aWord(anObject(loss, given).name, `${given}.name`);
  for (const method of ["labels", "check", "call"] as const) aFunction(loss[method], `${given}.${method}`);
  aFunction(positions, "withReduction: positions");
  const where = `Loss "${cut(loss.name)}": reduction`;
  oneOf(reduction, REDUCTIONS, where);
  if (reduction === "none") {
    const why = 'of "none" leaves a loss for each sample: a model is trained by one number';
    throw new FeaturemapError("value", `${where} ${why}. Use "sumOverBatchSize", "sum" or "meanWithSampleWeight".`);
  }
  if (reduction === "sumOverBatchSize" || reduction === "mean") return loss;
  const byWeight = reduction === "meanWithSampleWeight";
  return {
    ...loss,
    ...(loss.made && { made: { ...loss.made, config: { ...loss.made.config, reduction } } }),
    labels: (output) => loss.labels(output),
    check: (labels, output) => loss.check(labels, output),
    call: (call) => loss.call(call),
    factors: ({ weights, output, state, add, shapeOf }) => {
      // Without weights it is the mean.
      if (byWeight && weights === undefined) return undefined;
      const [batch, ...shape] = shapeOf(output);
      const scale = byWeight ? 1 : positions(shape);
      return add(sampleFactors, { state, weights }, { batch: batch!, scale, byWeight }).factors;
    },
  };
}
