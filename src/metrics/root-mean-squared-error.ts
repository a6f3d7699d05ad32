import { knownKeys } from "../base/errors.ts";
import { sampleMean } from "../losses/library-loss.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { type MetricOptions, sumsMetric } from "./library-metric.ts";
import type { Metric } from "./metric.ts";

/**
 * Root of the mean of (y - t)^2 over all samples: Keras's `RootMeanSquaredError` (`keras/src/metrics/regression_metrics.py`). Labels are
 * floats of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: meanSquaredError(), optimizer, metrics: [rootMeanSquaredError()] });
 */
export function rootMeanSquaredError(options: MetricOptions = {}): Metric {
  knownKeys(options, ["name"], "rootMeanSquaredError");
  return sumsMetric("rootMeanSquaredError", options, {
    direction: "down",
    sums: ["squares", "weights"],
    call: (call) => {
      const squares = sampleMean(call, ["square", ["subtract", "t", "y"]]);
      const isNumber = ["add", ["multiply", 0, "squares"], 1] as const;
      return { squares, weights: evaluated(call.add, isNumber, { squares }) };
    },
    result: ({ squares, weights }) => Math.sqrt(squares[0]! / weights[0]!),
  });
}
