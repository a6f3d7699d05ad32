import { knownKeys } from "../base/errors.ts";
import { clipped, EPSILON, type LossOptions, libraryLoss, positionMean } from "./library-loss.ts";
import type { Loss } from "./loss.ts";

/**
 * Kullback-Leibler divergence, the sum of t log(t / y) along the last axis: Keras's `KLDivergence` (`keras/src/losses/losses.py`). Both are
 * taken within 1e-7 and 1. Labels are floats of the output's shape: a distribution for each position.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: klDivergence(), optimizer: adam() });
 */
export function klDivergence(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "klDivergence");
  return libraryLoss("klDivergence", options, {
    call: (call) => {
      const [t, y] = [clipped("t", EPSILON, 1), clipped("y", EPSILON, 1)];
      return positionMean(call, ["multiply", t, ["log", ["divide", t, y]]]);
    },
  });
}
