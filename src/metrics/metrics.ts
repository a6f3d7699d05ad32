import { oneOf } from "../base/errors.ts";
import { accuracy } from "./accuracy.ts";
import type { Metric } from "./metric.ts";

/** Metrics of the library, by Keras's names. */
const METRICS = { accuracy } as const;
export type MetricName = keyof typeof METRICS;

/** @throws FeaturemapError `value` for a name that is no metric */
export function metricNamed(name: unknown): Metric {
  return METRICS[oneOf(name, Object.keys(METRICS) as MetricName[], "compile: metrics")]();
}
