import { aWord, FeaturemapError, knownKeys, oneOf, positiveInteger, wrong } from "../base/errors.ts";
import { batchShape, elements } from "../base/shape.ts";
import { thresholdCounts } from "../ops/metrics/threshold-counts.ts";
import type { Metric } from "./metric.ts";

export interface AucOptions {
  /** Thresholds from 0 to 1, at equal distances. At least 2, default 200. */
  readonly numThresholds?: number;
  /** True positives by false positives (`ROC`, default), or precision by recall (`PR`). */
  readonly curve?: "ROC" | "PR";
  /**
   * Area between two points of the curve. `interpolation` (default) takes their mean height; for `PR`, it lets true and false positives
   * grow evenly. `minoring` takes the lower point, `majoring` the higher one.
   */
  readonly summationMethod?: "interpolation" | "minoring" | "majoring";
  /** Key of the figure in logs. Default `auc`. Two of one output need two names. */
  readonly name?: string;
}

/**
 * Area under a curve of a classifier's probabilities at all thresholds: Keras's `AUC` (`keras/src/metrics/confusion_metrics.py`,
 * `multi_label=False`). Each number of the output counts by itself. Labels are rows of the output's shape, where all but 0 is positive, or
 * class numbers. For a model with one output, these are 0 and 1. Outputs are taken within 0 and 1, and NaN as 0. The GPU counts them by
 * threshold, up to 2^32 an epoch.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: "categoricalCrossentropy", optimizer, metrics: ["accuracy", auc({ curve: "PR" })] });
 */
export function auc(options: AucOptions = {}): Metric {
  knownKeys(options, ["numThresholds", "curve", "summationMethod", "name"], "auc");
  const numThresholds = positiveInteger(options.numThresholds ?? 200, "auc: numThresholds", 24);
  if (numThresholds < 2) throw wrong("auc: numThresholds", "be at least 2", numThresholds);
  const curve = oneOf(options.curve ?? "ROC", ["ROC", "PR"], "auc: curve");
  const methods = ["interpolation", "minoring", "majoring"] as const;
  const summationMethod = oneOf(options.summationMethod ?? "interpolation", methods, "auc: summationMethod");
  const name = aWord(options.name ?? "auc", "auc: name");
  return {
    name,
    direction: "up",
    made: { by: "auc", config: { numThresholds, curve, summationMethod, name } },
    check: (labels, output) => {
      const fits = labels.dtype === "u32" ? output.length === 1 : elements(labels.shape) === elements(output);
      if (fits) return;
      const got = labels.dtype === "u32" ? "class numbers" : `rows of ${batchShape(labels.shape)}`;
      throw new FeaturemapError("shape", `metric "auc" wants a label for each of ${batchShape(output)}, got ${got}.`);
    },
    accumulators: () => [{ name: "counts", shape: [2, numThresholds], dtype: "u32" }],
    call: ({ output: x, labels, state, add, accumulators: { counts } }) => {
      add(thresholdCounts, { x, labels, state, counts: counts! });
      return undefined;
    },
    result: ({ counts }) => area(pointsOf(counts!), curve, summationMethod),
  };
}

interface Point {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly positives: number;
  readonly negatives: number;
}

/** Points of the curve. What lies above a threshold is the sum of counts [2, thresholds] from its place to the end. */
function pointsOf(counts: ArrayLike<number>): Point[] {
  const size = counts.length / 2;
  const above = (from: number) => {
    const sums = new Array<number>(size);
    for (let i = size - 1, sum = 0; i >= 0; i--) sums[i] = sum += counts[from + i]!;
    return sums;
  };
  const [falsePositives, truePositives] = [above(0), above(size)];
  return truePositives.map((each, i) => ({
    truePositives: each,
    falsePositives: falsePositives[i]!,
    positives: truePositives[0]!,
    negatives: falsePositives[0]!,
  }));
}

const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole);

const recall = ({ truePositives, positives }: Point) => ratio(truePositives, positives);

const CURVES: Record<"ROC" | "PR", { x(point: Point): number; y(point: Point): number }> = {
  ROC: { x: ({ falsePositives, negatives }) => ratio(falsePositives, negatives), y: recall },
  PR: { x: recall, y: ({ truePositives, falsePositives }) => ratio(truePositives, truePositives + falsePositives) },
};

const HEIGHTS: Record<NonNullable<AucOptions["summationMethod"]>, (a: number, b: number) => number> = {
  interpolation: (a, b) => (a + b) / 2,
  minoring: Math.min,
  majoring: Math.max,
};

function area(
  points: readonly Point[],
  curve: "ROC" | "PR",
  method: NonNullable<AucOptions["summationMethod"]>,
): number {
  const { x, y } = CURVES[curve];
  const between = (a: Point, b: Point) =>
    curve === "PR" && method === "interpolation" ? interpolated(a, b) : (x(a) - x(b)) * HEIGHTS[method](y(a), y(b));
  return points.slice(1).reduce((sum, point, i) => sum + between(points[i]!, point), 0);
}

/** Area under precision by recall where true and false positives grow evenly: Davis and Goadrich 2006, section 4. */
function interpolated(a: Point, b: Point): number {
  const [all, fewer] = [a, b].map(({ truePositives, falsePositives }) => truePositives + falsePositives) as [
    number,
    number,
  ];
  const gained = a.truePositives - b.truePositives;
  const slope = ratio(gained, all - fewer);
  const intercept = b.truePositives - slope * fewer;
  const growth = fewer > 0 ? Math.log(all / fewer) : 0;
  return ratio(slope * (gained + intercept * growth), b.positives);
}
