import { knownKeys } from "../base/errors.ts";
import { type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss } from "./loss.ts";

/**
 * Mean of |y - t| over each sample's numbers: Keras's `MeanAbsoluteError` (`keras/src/losses/losses.py`). Labels are floats of the output's
 * shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: meanAbsoluteError(), optimizer: adam() });
 */
export function meanAbsoluteError(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "meanAbsoluteError");
  return libraryLoss("meanAbsoluteError", options, {
    call: (call) => sampleMean(call, ["abs", ["subtract", "y", "t"]]),
  });
}
