import { finiteNumber, knownKeys, wrong } from "../base/errors.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss } from "./loss.ts";

export interface HuberOptions extends LossOptions {
  /** Error up to which the loss is quadratic. Above 0, default 1. */
  readonly delta?: number;
}

/**
 * Huber's loss: the mean of e^2 / 2 where the error e = |y - t| is at most delta, and of delta e - delta^2 / 2 elsewhere. Keras's `Huber`
 * (`keras/src/losses/losses.py`). Outliers weigh less than in `meanSquaredError`. Labels are floats of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: huber({ delta: 0.5 }), optimizer: adam() });
 */
export function huber(options: HuberOptions = {}): Loss {
  knownKeys(options, ["delta", "reduction", "name"], "huber");
  const delta = finiteNumber(options.delta ?? 1, "huber: delta");
  if (delta <= 0) throw wrong("huber: delta", "be above 0", delta);
  return libraryLoss("huber", options, {
    config: { delta },
    call: (call) => {
      const error: Expression = ["abs", ["subtract", "y", "t"]];
      const quadratic: Expression = ["multiply", 0.5, ["square", ["subtract", "y", "t"]]];
      const linear: Expression = ["subtract", ["multiply", delta, error], 0.5 * delta ** 2];
      return sampleMean(call, ["where", ["lessEqual", error, delta], quadratic, linear]);
    },
  });
}
