import { knownKeys } from "../base/errors.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { EPSILON, type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss } from "./loss.ts";

/**
 * Mean of 100 |(y - t) / t| over each sample's numbers: Keras's `MeanAbsolutePercentageError` (`keras/src/losses/losses.py`). A |t| below
 * 1e-7 counts as 1e-7. Labels are floats of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: meanAbsolutePercentageError(), optimizer: adam() });
 */
export function meanAbsolutePercentageError(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "meanAbsolutePercentageError");
  return libraryLoss("meanAbsolutePercentageError", options, {
    call: (call) => {
      const share: Expression = ["divide", ["subtract", "t", "y"], ["maximum", ["abs", "t"], EPSILON]];
      return sampleMean(call, ["multiply", ["abs", share], 100]);
    },
  });
}
