import { FeaturemapError, positiveInteger, wrong } from "../base/errors.ts";
import { batchShape, elements, type Shape } from "../base/shape.ts";
import type { LabelKind } from "../losses/loss.ts";
import { ratio } from "./library-metric.ts";

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

/** @throws FeaturemapError `shape` unless there is a label for each number of an output */
export function assertThresholdLabels(by: string, { shape, dtype }: LabelKind, output: Shape): void {
  const fits = dtype === "u32" ? output.length === 1 : elements(shape) === elements(output);
  if (fits) return;
  const got = dtype === "u32" ? "class numbers" : `rows of ${batchShape(shape)}`;
  throw new FeaturemapError("shape", `metric "${by}" wants a label for each of ${batchShape(output)}, got ${got}.`);
}
