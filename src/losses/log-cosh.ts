import { knownKeys } from "../base/errors.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss } from "./loss.ts";

/**
 * Mean of log(cosh(y - t)) over each sample's numbers: Keras's `LogCosh` (`keras/src/losses/losses.py`). It is near (y - t)^2 / 2 where
 * that is small, and near |y - t| - log 2 where it is large. Labels are floats of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: logCosh(), optimizer: adam() });
 */
export function logCosh(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "logCosh");
  return libraryLoss("logCosh", options, {
    call: (call) => {
      const error: Expression = ["subtract", "y", "t"];
      return sampleMean(call, ["subtract", ["add", error, ["softplus", ["multiply", error, -2]]], Math.LN2]);
    },
  });
}
