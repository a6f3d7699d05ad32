import { finiteNumber, knownKeys, positiveInteger, wholeNumber, wrong } from "../base/errors.ts";
import { pad } from "../ops/arrange/pad.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { type MetricOptions, ratio, sampleSum, sumsMetric } from "./library-metric.ts";
import type { Metric, MetricCall } from "./metric.ts";
import { areEven, type Point, pointsAbove, precisionAt, recallAt, rowsAbove, thresholdList } from "./thresholds.ts";

export interface CountOptions extends MetricOptions {
  /**
   * Number above which an output counts as positive. Default 0.5. A list of several gives a figure for each, in the list's order:
   * `precision_0` and so on. If it goes from 0 to 1 at equal distances, outputs are taken within 0 and 1, as in Keras.
   */
  readonly thresholds?: number | readonly number[];
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

type Counted = keyof typeof COUNTS;

/** The same counts at a point. */
const COUNTS_AT: Readonly<Record<Counted, (point: Point) => number>> = {
  truePositives: ({ truePositives }) => truePositives,
  trueNegatives: ({ falsePositives, negatives }) => negatives - falsePositives,
  falsePositives: ({ falsePositives }) => falsePositives,
  falseNegatives: ({ truePositives, positives }) => positives - truePositives,
};

function countOf(by: Counted, options: CountOptions): Metric {
  knownKeys(options, ["thresholds", "name"], by);
  const thresholds = checkedThresholds(options.thresholds ?? 0.5, `${by}: thresholds`);
  const direction = by.startsWith("true") ? "up" : "down";
  if (typeof thresholds !== "number")
    return countsAbove(by, options, { thresholds, direction, figure: COUNTS_AT[by], outputOf: (call) => call });
  return sumsMetric(by, options, {
    config: { thresholds },
    direction,
    sums: ["count"],
    call: (call) => ({ count: sampleSum(call, COUNTS[by](["greater", "y", thresholds])) }),
    result: ({ count }) => count[0]!,
  });
}

function shareOf(
  by: "precision" | "recall",
  options: PrecisionOptions,
  other: "falsePositives" | "falseNegatives",
): Metric {
  knownKeys(options, ["thresholds", "topK", "classId", "name"], by);
  const { topK, classId } = options;
  const thresholds =
    options.thresholds === undefined ? undefined : checkedThresholds(options.thresholds, `${by}: thresholds`);
  if (topK !== undefined) positiveInteger(topK, `${by}: topK`, 32);
  if (classId !== undefined && wholeNumber(classId, `${by}: classId`) < 0)
    throw wrong(`${by}: classId`, "be at least 0", classId);
  const config = { ...(topK !== undefined && { topK }), ...(classId !== undefined && { classId }) };
  if (thresholds !== undefined && typeof thresholds !== "number")
    return countsAbove(by, options, {
      thresholds,
      config,
      figure: by === "precision" ? precisionAt : recallAt,
      outputOf: (given) => {
        const ranked = topK === undefined ? given : { ...given, output: onlyFirst(given, topK) };
        return ofClass(ranked, {}, classId, by)[0];
      },
    });
  return sumsMetric(by, options, {
    config: { ...(thresholds !== undefined && { thresholds }), ...config },
    sums: ["hits", "misses"],
    call: (given) => {
      const isAbove: Expression = ["greater", "y", thresholds ?? 0.5];
      const isPositive: Expression =
        topK === undefined ? isAbove : thresholds === undefined ? "first" : both("first", isAbove);
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

/** Checks thresholds. A list of one is its number. */
function checkedThresholds(given: number | readonly number[], where: string): number | readonly number[] {
  if (typeof given !== "object") return finiteNumber(given, where);
  const list = thresholdList(given, where);
  return list.length === 1 ? list[0]! : list;
}

/** Makes a metric that has a figure for each of several thresholds. */
function countsAbove(
  by: string,
  options: MetricOptions,
  of: {
    readonly thresholds: readonly number[];
    readonly config?: object;
    readonly direction?: "up" | "down";
    readonly figure: (point: Point) => number;
    /** Gives a call with what is counted. */
    readonly outputOf: (call: MetricCall) => MetricCall;
  },
): Metric {
  const { thresholds, config, direction = "up", figure, outputOf } = of;
  const count = thresholds.length;
  const list = areEven(thresholds) ? undefined : Float32Array.from(thresholds).sort();
  const placeOf = (threshold: number, i: number) => list?.indexOf(Math.fround(threshold)) ?? i;
  return sumsMetric(by, options, {
    config: { thresholds, ...config },
    direction,
    figures: () => thresholds.map((_, i) => `${i}`),
    sums: ["above"],
    width: () => 2 * (count + 1),
    call: (given) => {
      const how = { count, list: list && Array.from(list), zerosApart: list === undefined };
      return { above: rowsAbove(outputOf(given), how) };
    },
    result: ({ above }) => {
      const points = pointsAbove(above);
      return thresholds.map((threshold, i) => figure(points[placeOf(threshold, i)]!));
    },
  });
}

/** What an output has that is not among its row's largest: below all thresholds, as in Keras (`keras/src/metrics/metrics_utils.py`). */
const BELOW = -1e10;

/** Adds the output, of which only the k largest numbers of each row stay. */
function onlyFirst(call: MetricCall, k: number) {
  const tensors = { y: call.output, first: areFirst(call, k) };
  return evaluated(call.add, ["where", "first", "y", BELOW], tensors);
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
