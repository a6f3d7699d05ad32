import { knownKeys } from "../base/errors.ts";
import { logCosh } from "../losses/log-cosh.ts";
import { type MetricOptions, meanMetric } from "./library-metric.ts";
import type { Metric } from "./metric.ts";

/**
 * Mean of log(cosh(y - t)): Keras's metric `LogCoshError` (`keras/src/metrics/regression_metrics.py`), the loss `logCosh` under its name among
 * metrics. Labels are floats of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: meanSquaredError(), optimizer, metrics: [logCoshError()] });
 */
export function logCoshError(options: MetricOptions = {}): Metric {
  knownKeys(options, ["name"], "logCoshError");
  const loss = logCosh();
  return meanMetric("logCoshError", options, { direction: "down", call: (call) => loss.call(call) });
}
