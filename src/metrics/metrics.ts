import { oneOf } from "../base/errors.ts";
import { OTHERS } from "../losses/losses.ts";
import { accuracy } from "./accuracy.ts";
import type { Metric } from "./metric.ts";

/** Metrics by Keras's names, which every app ships. All others are functions that an app imports. */
const METRICS = { accuracy } as const;
export type MetricName = keyof typeof METRICS;

/** @throws FeaturemapError `value` for a name that is no metric */
export function metricNamed(name: unknown, where = "compile: metrics"): Metric {
  const known = Object.keys(METRICS) as MetricName[];
  return METRICS[oneOf(name, known, where, OTHERS)]();
}
