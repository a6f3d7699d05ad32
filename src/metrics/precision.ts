import { finiteNumber, knownKeys, positiveInteger, wholeNumber, wrong } from "../base/errors.ts";
import { pad } from "../ops/arrange/pad.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { type MetricOptions, ratio, sampleSum, sumsMetric } from "./library-metric.ts";
import type { Metric, MetricCall } from "./metric.ts";

export interface CountOptions extends MetricOptions {
  /** Number above which an output counts as positive. Default 0.5. */
  readonly thresholds?: number;
}

export interface PrecisionOptions extends CountOptions {
  /** Number of a row's largest outputs that may be positive. Without `thresholds` all of them are. Default: all outputs. */
  readonly topK?: number;
  /** Class that counts alone, a place along the last axis. Default: all of them. */
  readonly classId?: number;
}

/**
 * Precision: share of the positive outputs whose labels are positive. Keras's `Precision` (`keras/src/metrics/confusion_metrics.py`). Each
 * number of the output counts by itself. Labels are rows of the output's shape, where all but 0 is positive, or class numbers. It is 0 where
 * no output is positive.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: binaryCrossentropy(), optimizer, metrics: [precision(), recall({ thresholds: 0.3 })] });
 */
export function precision(options: PrecisionOptions = {}): Metric {
  return shareOf("precision", options, "falsePositives");
}

/**
 * Recall: share of the positive labels whose outputs are positive. Keras's `Recall` (`keras/src/metrics/confusion_metrics.py`). Outputs and
 * labels are those of `precision`. It is 0 where no label is positive.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: "categoricalCrossentropy", optimizer, metrics: [recall({ topK: 3, classId: 5 })] });
 */
export function recall(options: PrecisionOptions = {}): Metric {
  return shareOf("recall", options, "falseNegatives");
}

/**
 * Number of positive outputs whose labels are positive: Keras's `TruePositives`. Outputs and labels are those of `precision`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 */
export function truePositives(options: CountOptions = {}): Metric {
  return countOf("truePositives", options);
}

/**
 * Number of negative outputs whose labels are negative: Keras's `TrueNegatives`. Outputs and labels are those of `precision`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 */
export function trueNegatives(options: CountOptions = {}): Metric {
  return countOf("trueNegatives", options);
}

/**
 * Number of positive outputs whose labels are negative: Keras's `FalsePositives`. Outputs and labels are those of `precision`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 */
export function falsePositives(options: CountOptions = {}): Metric {
  return countOf("falsePositives", options);
}

/**
 * Number of negative outputs whose labels are positive: Keras's `FalseNegatives`. Outputs and labels are those of `precision`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 */
export function falseNegatives(options: CountOptions = {}): Metric {
  return countOf("falseNegatives", options);
}

const opposite = (is: Expression): Expression => ["subtract", 1, is];
const both = (a: Expression, b: Expression): Expression => ["multiply", a, b];
const isLabelled: Expression = ["subtract", 1, ["equal", "t", 0]];

/** Whether an output counts, by whether it is positive. Its label is `t`. */
const COUNTS = {
  truePositives: (positive: Expression) => both(positive, isLabelled),
  trueNegatives: (positive: Expression) => both(opposite(positive), opposite(isLabelled)),
  falsePositives: (positive: Expression) => both(positive, opposite(isLabelled)),
  falseNegatives: (positive: Expression) => both(opposite(positive), isLabelled),
} as const;

function countOf(by: keyof typeof COUNTS, options: CountOptions): Metric {
  knownKeys(options, ["thresholds", "name"], by);
  const thresholds = finiteNumber(options.thresholds ?? 0.5, `${by}: thresholds`);
  return sumsMetric(by, options, {
    config: { thresholds },
    direction: by.startsWith("true") ? "up" : "down",
    sums: ["count"],
    call: (call) => ({ count: sampleSum(call, COUNTS[by](["greater", "y", thresholds])) }),
    result: ({ count }) => count[0]!,
  });
}

function shareOf(by: string, options: PrecisionOptions, other: "falsePositives" | "falseNegatives"): Metric {
  knownKeys(options, ["thresholds", "topK", "classId", "name"], by);
  const { thresholds, topK, classId } = options;
  const threshold = thresholds === undefined ? undefined : finiteNumber(thresholds, `${by}: thresholds`);
  if (topK !== undefined) positiveInteger(topK, `${by}: topK`, 32);
  if (classId !== undefined && wholeNumber(classId, `${by}: classId`) < 0)
    throw wrong(`${by}: classId`, "be at least 0", classId);
  const config = {
    ...(threshold !== undefined && { thresholds: threshold }),
    ...(topK !== undefined && { topK }),
    ...(classId !== undefined && { classId }),
  };
  return sumsMetric(by, options, {
    config,
    sums: ["hits", "misses"],
    call: (given) => {
      const isAbove: Expression = ["greater", "y", threshold ?? 0.5];
      const isPositive: Expression =
        topK === undefined ? isAbove : threshold === undefined ? "first" : both("first", isAbove);
      const ranked = topK === undefined ? {} : { first: areFirst(given, topK) };
      const [call, others] = ofClass(given, ranked, classId, by);
      return {
        hits: sampleSum(call, COUNTS.truePositives(isPositive), others),
        misses: sampleSum(call, COUNTS[other](isPositive), others),
      };
    },
    result: ({ hits, misses }) => ratio(hits[0]!, hits[0]! + misses[0]!),
  });
}

/** Adds a tensor of the output's shape: 1 for numbers that fewer than k of their row exceed, else 0. */
function areFirst({ output: x, add, shapeOf }: MetricCall, k: number) {
  const shape = shapeOf(x);
  const [rows, classes] = [shape.slice(0, -1), shape.at(-1)!];
  const own = add(reshape, { x }, { shape: [...rows, classes, 1] }).y;
  const other = add(reshape, { x }, { shape: [...rows, 1, classes] }).y;
  const reduction = { kind: "sum", axes: [shape.length], keepDims: false } as const;
  const larger = evaluated(add, ["greater", "other", "own"], { own, other }, { reduction });
  return evaluated(add, ["less", "larger", k], { larger });
}

/** Gives a call, and tensors of the output's shape, of one class. */
export function ofClass<Others extends Readonly<Record<string, number>>>(
  call: MetricCall,
  others: Others,
  classId: number | undefined,
  by: string,
): readonly [MetricCall, Others] {
  if (classId === undefined) return [call, others];
  const shape = call.shapeOf(call.output);
  const classes = shape.at(-1)!;
  if (classId >= classes) throw wrong(`${by}: classId`, `be below ${classes}, the number of classes`, classId);
  const none = shape.slice(1).map(() => 0);
  const [before, after] = [
    [...none, -classId],
    [...none, classId + 1 - classes],
  ];
  const part = (x: number) => call.add(pad, { x }, { before, after }).y;
  const parts = Object.fromEntries(Object.entries(others).map(([name, tensor]) => [name, part(tensor)]));
  return [{ ...call, output: part(call.output), labels: part(call.labels) }, parts as Others];
}
