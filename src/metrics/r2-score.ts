import { FeaturemapError, knownKeys, oneOf, wholeNumber, wrong } from "../base/errors.ts";
import { batchShape, type Shape } from "../base/shape.ts";
import type { LabelKind } from "../losses/loss.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { assertLabels, classesOf, classSums, type MetricOptions, sumsMetric } from "./library-metric.ts";
import type { Metric } from "./metric.ts";

const AGGREGATIONS = ["uniform_average", "variance_weighted_average"] as const;

export interface R2ScoreOptions extends MetricOptions {
  /** Mean of the outputs' scores: of all alike (`uniform_average`, default), or each weighed by the variance of its labels. */
  readonly classAggregation?: (typeof AGGREGATIONS)[number];
  /** Number of independent regressors, which gives the adjusted score. Default 0: the score itself. */
  readonly numRegressors?: number;
}

/**
 * Coefficient of determination, 1 - (sum of (t - y)^2) / (sum of (t - mean of t)^2): Keras's `R2Score`
 * (`keras/src/metrics/regression_metrics.py`). The output is [batch, numbers], and labels have its shape. 1 is the best. A column whose labels
 * are all equal, and not met, counts 0.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: meanSquaredError(), optimizer, metrics: [r2Score()] });
 */
export function r2Score(options: R2ScoreOptions = {}): Metric {
  const by = "r2Score";
  knownKeys(options, ["classAggregation", "numRegressors", "name"], by);
  const classAggregation = oneOf(options.classAggregation ?? AGGREGATIONS[0], AGGREGATIONS, `${by}: classAggregation`);
  const numRegressors = wholeNumber(options.numRegressors ?? 0, `${by}: numRegressors`);
  if (numRegressors < 0) throw wrong(`${by}: numRegressors`, "be at least 0", numRegressors);
  return sumsMetric(by, options, {
    config: { classAggregation, numRegressors },
    check: (labels: LabelKind, output: Shape) => {
      assertLabels(by, labels, output);
      if (output.length === 1) return;
      throw new FeaturemapError(
        "shape",
        `metric "${by}" wants an output of [batch, numbers], got ${batchShape(output)}.`,
      );
    },
    sums: ["labels", "squares", "errors", "weights"],
    width: classesOf,
    call: (call) => ({
      labels: classSums(call, "t"),
      squares: classSums(call, ["square", "t"]),
      errors: classSums(call, ["square", ["subtract", "t", "y"]]),
      // A label is finite.
      weights: evaluated(call.add, ["equal", "t", "t"], { t: call.labels }),
    }),
    result: ({ labels, squares, errors, weights }) => {
      const totals = squares.map((square, k) => square - (labels[k]! * labels[k]!) / weights[k]!);
      const scores = totals.map((total, k) => finite(1 - errors[k]! / total));
      const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      const score =
        classAggregation === "uniform_average"
          ? sumOf(scores) / scores.length
          : sumOf(scores.map((each, k) => each * totals[k]!)) / sumOf(totals);
      // Keras counts numbers, not samples.
      const samples = sumOf(weights);
      if (numRegressors === 0 || numRegressors >= samples - 1) return score;
      return 1 - ((1 - score) * (samples - 1)) / (samples - numRegressors - 1);
    },
  });
}

function finite(score: number): number {
  return Math.abs(score) === Number.POSITIVE_INFINITY ? 0 : score;
}
