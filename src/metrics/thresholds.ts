import { FeaturemapError, finiteNumber, listOf, positiveInteger, wrong } from "../base/errors.ts";
import { batchShape, elements, type Shape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { LabelKind } from "../losses/loss.ts";
import { accumulateRows } from "../ops/metrics/accumulate-rows.ts";
import { thresholdCounts } from "../ops/metrics/threshold-counts.ts";
import { thresholdRows } from "../ops/metrics/threshold-rows.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { ratio, totals } from "./library-metric.ts";
import type { Accumulator, MetricCall } from "./metric.ts";

/** Thresholds above which outputs are counted. */
export interface Thresholds {
  readonly count: number;
  /** The thresholds, rising. Default: at equal distances from 0 to 1, the last above all. */
  readonly list?: readonly number[] | undefined;
  /** Whether 0 is above no threshold, not even the first. Default false. */
  readonly zerosApart?: boolean | undefined;
}

/** Counts of positive outputs above a threshold. */
export interface Point {
  readonly truePositives: number;
  readonly falsePositives: number;
  /** Positive and negative labels, at all thresholds. */
  readonly positives: number;
  readonly negatives: number;
}

/**
 * Gives the counts at each threshold, out of those by label and bucket, [2, thresholds]. What lies above a threshold is the sum from its place
 * to the last but one; in the last is what lies above none.
 */
export function pointsOf(counts: ArrayLike<number>): Point[] {
  const size = counts.length / 2;
  const above = (from: number) => {
    const sums = new Array<number>(size).fill(0);
    for (let i = size - 2, sum = 0; i >= 0; i--) sums[i] = sum += counts[from + i]!;
    return sums;
  };
  const [falsePositives, truePositives] = [above(0), above(size)];
  const positives = truePositives[0]! + counts[2 * size - 1]!;
  const negatives = falsePositives[0]! + counts[size - 1]!;
  return truePositives.map((each, i) => {
    return { truePositives: each, falsePositives: falsePositives[i]!, positives, negatives };
  });
}

/** Gives the same out of the sums of `thresholdRows`, [2, thresholds + 1]. */
export function pointsAbove(sums: ArrayLike<number>): Point[] {
  const count = sums.length / 2 - 1;
  const [negatives, positives] = [sums[count]!, sums[2 * count + 1]!];
  return Array.from({ length: count }, (_, k) => {
    return { truePositives: sums[count + 1 + k]!, falsePositives: sums[k]!, positives, negatives };
  });
}

/** Accumulators, and what fills and reads them, of each of so many places along the output's last axis. */
interface Counted {
  accumulators(places: number, weighted: boolean | undefined): readonly Accumulator[];
  add(call: MetricCall, output: MetricCall["output"], places: number): undefined;
  /** Gives the points of each place. */
  points(values: Readonly<Record<string, Float32Array | Uint32Array>>): Point[][];
}

/** Counts in whole numbers by buckets, if thresholds are at equal distances and samples have no weights; else adds up rows of counts. */
export function countedAt({ count, list: thresholds, zerosApart }: Thresholds): Counted {
  const sumsSize = 2 * (count + 1);
  return {
    accumulators: (places, weighted) =>
      weighted || thresholds
        ? [{ name: "sums", shape: [2, places * sumsSize] }]
        : [{ name: "counts", shape: [...(places > 1 ? [places] : []), 2, count], dtype: "u32" }],
    add: ({ labels, state, weights, add, accumulators: { sums, counts } }, x, places) => {
      if (sums === undefined) {
        add(thresholdCounts, { x, labels, state, counts: counts! }, { ...(zerosApart && { zerosApart }) });
        return undefined;
      }
      const rows = rowsAbove({ add, output: x, labels }, { count, list: thresholds, zerosApart }, places);
      add(accumulateRows, { x: rows, state, weights, sums });
      return undefined;
    },
    points: ({ sums, counts }) =>
      sums ? parts(totals(sums), sumsSize).map(pointsAbove) : parts(Array.from(counts!), 2 * count).map(pointsOf),
  };
}

/** Adds counts of each row's numbers above thresholds, by label: [batch, places, 2, thresholds + 1]. */
export function rowsAbove(
  { add, output: x, labels }: Pick<MetricCall, "add" | "output" | "labels">,
  { count, list, zerosApart }: Thresholds,
  places = 1,
): TensorId {
  if (!list) return add(thresholdRows, { x, labels }, { count, zerosApart, places }).y;
  // A NaN is above none.
  const ranks = evaluated(add, sumOf(list.map((threshold): Expression => ["greater", "x", Math.fround(threshold)])), {
    x,
  });
  return add(thresholdRows, { x: ranks, labels }, { count, ranked: true, places }).y;
}

/** Adds up many terms, in halves. */
function sumOf(terms: readonly Expression[]): Expression {
  const half = terms.length >> 1;
  return half === 0 ? terms[0]! : ["add", sumOf(terms.slice(0, half)), sumOf(terms.slice(half))];
}

function parts(values: readonly number[], size: number): number[][] {
  return Array.from({ length: values.length / size }, (_, i) => values.slice(i * size, (i + 1) * size));
}

/** Share of the positive labels that are above the threshold: also called sensitivity. */
export function recallAt({ truePositives, positives }: Point): number {
  return ratio(truePositives, positives);
}

export function precisionAt({ truePositives, falsePositives }: Point): number {
  return ratio(truePositives, truePositives + falsePositives);
}

/** Share of the negative labels that are not above the threshold. */
export function specificityAt({ falsePositives, negatives }: Point): number {
  return ratio(negatives - falsePositives, negatives);
}

/** @throws FeaturemapError `value` unless an option is a number of thresholds */
export function thresholdsOption(value: number | undefined, where: string): number {
  const thresholds = positiveInteger(value ?? 200, where, 24);
  if (thresholds < 2) throw wrong(where, "be at least 2", thresholds);
  return thresholds;
}

/** Most thresholds of a list. */
const MOST_THRESHOLDS = 256;

/** Checks and copies a list of thresholds. @throws FeaturemapError `value` for one that is no list of finite numbers, empty or long */
export function thresholdList(value: readonly number[], where: string): number[] {
  const { length } = listOf(value, where);
  if (!(length >= 1 && length <= MOST_THRESHOLDS)) throw wrong(where, `have 1 to ${MOST_THRESHOLDS} numbers`, value);
  return Array.from(value, (threshold) => finiteNumber(threshold, where));
}

/** Whether thresholds are at equal distances from 0 to 1, as Keras sees it (`keras/src/metrics/metrics_utils.py`). */
export function areEven(list: readonly number[]): boolean {
  const last = list.length - 1;
  return last >= 2 && list.every((value, i) => Math.abs(value - i / last) <= 1e-7 + (1e-5 * i) / last);
}

/** @throws FeaturemapError `shape` unless there is a label for each number of an output */
export function assertThresholdLabels(by: string, { shape, dtype }: LabelKind, output: Shape): void {
  const fits = dtype === "u32" ? output.length === 1 : elements(shape) === elements(output);
  if (fits) return;
  const got = dtype === "u32" ? "class numbers" : `rows of ${batchShape(shape)}`;
  throw new FeaturemapError("shape", `metric "${by}" wants a label for each of ${batchShape(output)}, got ${got}.`);
}
