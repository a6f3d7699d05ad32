import { knownKeys } from "../base/errors.ts";
import { EPSILON, type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss } from "./loss.ts";

/**
 * Mean of y - t log(y + 1e-7) over each sample's numbers, for counts t that are Poisson-distributed with a mean of y: Keras's `Poisson`
 * (`keras/src/losses/losses.py`). Labels are floats of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: poisson(), optimizer: adam() });
 */
export function poisson(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "poisson");
  return libraryLoss("poisson", options, {
    call: (call) => sampleMean(call, ["subtract", "y", ["multiply", "t", ["log", ["add", "y", EPSILON]]]]),
  });
}
