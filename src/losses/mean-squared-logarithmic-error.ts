import { knownKeys } from "../base/errors.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { EPSILON, type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss } from "./loss.ts";

/**
 * Mean of (log(1 + y) - log(1 + t))^2 over each sample's numbers: Keras's `MeanSquaredLogarithmicError` (`keras/src/losses/losses.py`).
 * Numbers below 1e-7 count as 1e-7. Labels are floats of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: meanSquaredLogarithmicError(), optimizer: adam() });
 */
export function meanSquaredLogarithmicError(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "meanSquaredLogarithmicError");
  return libraryLoss("meanSquaredLogarithmicError", options, {
    call: (call) => {
      const logarithm = (x: Expression): Expression => ["log", ["add", ["maximum", x, EPSILON], 1]];
      return sampleMean(call, ["square", ["subtract", logarithm("y"), logarithm("t")]]);
    },
  });
}
