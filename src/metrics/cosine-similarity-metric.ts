import { knownKeys } from "../base/errors.ts";
import { cosine } from "../losses/cosine-similarity.ts";
import { type MetricOptions, meanMetric } from "./library-metric.ts";
import type { Metric } from "./metric.ts";

/**
 * Mean cosine of the angle between output and labels along the last axis, from -1 to 1: Keras's metric `CosineSimilarity`
 * (`keras/src/metrics/regression_metrics.py`). The loss `cosineSimilarity` among the metrics gives its negative. Labels are floats of the
 * output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: cosineSimilarity(), optimizer, metrics: [cosineSimilarityMetric()] });
 */
export function cosineSimilarityMetric(options: MetricOptions = {}): Metric {
  knownKeys(options, ["name"], "cosineSimilarityMetric");
  return meanMetric("cosineSimilarityMetric", options, { call: (call) => cosine(call, 1) });
}
