import { finiteNumber, knownKeys } from "../base/errors.ts";
import { sampleMean } from "../losses/library-loss.ts";
import { type MetricOptions, meanMetric } from "./library-metric.ts";
import type { Metric } from "./metric.ts";

export interface BinaryAccuracyOptions extends MetricOptions {
  /** Number above which an output counts as 1. Default 0.5. */
  readonly threshold?: number;
}

/**
 * Binary accuracy: share of the output's numbers that are on their label's side of the threshold. Keras's `BinaryAccuracy`
 * (`keras/src/metrics/accuracy_metrics.py`). Labels are 0 and 1, of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: binaryCrossentropy(), optimizer, metrics: [binaryAccuracy({ threshold: 0.7 })] });
 */
export function binaryAccuracy(options: BinaryAccuracyOptions = {}): Metric {
  knownKeys(options, ["threshold", "name"], "binaryAccuracy");
  const threshold = finiteNumber(options.threshold ?? 0.5, "binaryAccuracy: threshold");
  return meanMetric("binaryAccuracy", options, {
    config: { threshold },
    call: (call) => sampleMean(call, ["equal", "t", ["greater", "y", threshold]]),
  });
}
