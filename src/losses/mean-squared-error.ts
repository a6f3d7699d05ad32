import { knownKeys } from "../base/errors.ts";
import { type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss } from "./loss.ts";

/**
 * Mean of (y - t)^2 over each sample's numbers: Keras's `MeanSquaredError` (`keras/src/losses/losses.py`). Labels are floats of the output's
 * shape, or one number a sample for an output of [batch, 1].
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: meanSquaredError(), optimizer: adam() });
 */
export function meanSquaredError(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "meanSquaredError");
  return libraryLoss("meanSquaredError", options, {
    call: (call) => sampleMean(call, ["square", ["subtract", "y", "t"]]),
  });
}
