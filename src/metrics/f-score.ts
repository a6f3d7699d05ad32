import { FeaturemapError, finiteNumber, knownKeys, oneOf, wrong } from "../base/errors.ts";
import { batchShape, type Shape } from "../base/shape.ts";
import { EPSILON } from "../losses/library-loss.ts";
import type { LabelKind } from "../losses/loss.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { assertLabels, classesOf, classSums, type MetricOptions, sampleSum, sumsMetric } from "./library-metric.ts";
import type { Metric } from "./metric.ts";

const AVERAGES = ["macro", "micro", "weighted"] as const;

export interface F1ScoreOptions extends MetricOptions {
  /**
   * `macro` is the mean of the classes' scores, `weighted` weighs each by its number of labels, and `micro` counts all classes together.
   * Default: a figure for each class, `f1Score_0` and so on.
   */
  readonly average?: (typeof AVERAGES)[number];
  /** Number above which an output counts as positive, from 0 to 1. Default: the largest of a row alone is positive. */
  readonly threshold?: number;
}

export interface FBetaScoreOptions extends F1ScoreOptions {
  /** Weight of recall beside precision. Above 0, default 1. */
  readonly beta?: number;
}

/**
 * F1 score, the harmonic mean of precision and recall: Keras's `F1Score` (`keras/src/metrics/f_score_metrics.py`). The output is
 * [batch, classes]. Labels are rows of its shape, or class numbers.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: "categoricalCrossentropy", optimizer, metrics: [f1Score({ average: "weighted" })] });
 */
export function f1Score(options: F1ScoreOptions = {}): Metric {
  knownKeys(options, ["average", "threshold", "name"], "f1Score");
  return scoreOf("f1Score", options, 1, {});
}

/**
 * F-beta score, (1 + beta^2) precision recall / (beta^2 precision + recall): Keras's `FBetaScore`. See `f1Score`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: "categoricalCrossentropy", optimizer, metrics: [fBetaScore({ beta: 2 })] });
 */
export function fBetaScore(options: FBetaScoreOptions = {}): Metric {
  knownKeys(options, ["beta", "average", "threshold", "name"], "fBetaScore");
  const beta = finiteNumber(options.beta ?? 1, "fBetaScore: beta");
  if (beta <= 0) throw wrong("fBetaScore: beta", "be above 0", beta);
  return scoreOf("fBetaScore", options, beta, { beta });
}

function scoreOf(by: string, options: F1ScoreOptions, beta: number, config: object): Metric {
  const average = options.average === undefined ? undefined : oneOf(options.average, AVERAGES, `${by}: average`);
  const threshold = options.threshold === undefined ? undefined : finiteNumber(options.threshold, `${by}: threshold`);
  if (threshold !== undefined && !(threshold > 0 && threshold <= 1))
    throw wrong(`${by}: threshold`, "be above 0 and at most 1", threshold);
  const isMicro = average === "micro";
  return sumsMetric(by, options, {
    config: { ...config, ...(average && { average }), ...(threshold !== undefined && { threshold }) },
    check: (labels: LabelKind, output: Shape) => {
      assertLabels(by, labels, output);
      if (output.length === 1) return;
      throw new FeaturemapError(
        "shape",
        `metric "${by}" wants an output of [batch, classes], got ${batchShape(output)}.`,
      );
    },
    sums: ["hits", "surplus", "missing", "labels"],
    width: (output) => (isMicro ? 1 : classesOf(output)),
    call: (call) => {
      const { output: y, add, shapeOf } = call;
      const reduction = { kind: "max", axes: [shapeOf(y).length - 1], keepDims: true } as const;
      const others = threshold === undefined ? { most: evaluated(add, "y", { y }, { reduction }) } : {};
      const isPositive: Expression =
        threshold === undefined
          ? ["multiply", ["greaterEqual", "y", "most"], ["greater", ["abs", "y"], 1e-9]]
          : ["greater", "y", threshold];
      const sumOf = (expression: Expression, tensors = {}) =>
        (isMicro ? sampleSum : classSums)(call, expression, tensors);
      return {
        hits: sumOf(["multiply", isPositive, "t"], others),
        surplus: sumOf(["multiply", isPositive, ["subtract", 1, "t"]], others),
        missing: sumOf(["multiply", ["subtract", 1, isPositive], "t"], others),
        labels: sumOf("t"),
      };
    },
    ...(average === undefined && {
      figures: (output: Shape) => Array.from({ length: classesOf(output) }, (_, k) => `${k}`),
    }),
    result: ({ hits, surplus, missing, labels }) => {
      const scores = hits.map((hit, k) => scoreFrom(hit, surplus[k]!, missing[k]!, beta));
      const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      if (average === undefined) return scores;
      if (average !== "weighted") return sumOf(scores) / scores.length;
      return sumOf(scores.map((score, k) => score * labels[k]!)) / (sumOf(labels) + EPSILON);
    },
  });
}

function scoreFrom(hits: number, surplus: number, missing: number, beta: number): number {
  const precision = hits / (hits + surplus + EPSILON);
  const recall = hits / (hits + missing + EPSILON);
  return ((1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall + EPSILON);
}
