import { exceeds } from "./softmax.ts";

/** Metrics in float64 by plain loops, over all samples at once. */

/**
 * For each row of x [rows, classes] and its labels of the same shape: 1 where fewer than k classes have a larger x than the first
 * maximum of the labels has, else 0. A row whose softmax is NaN has 0. Keras's `top_k_categorical_accuracy`.
 */
export function topKHits(x: ArrayLike<number>, labels: ArrayLike<number>, classes: number, k: number): Float64Array {
  return Float64Array.from({ length: x.length / classes }, (_, r) => {
    let label = 0;
    let largest = 0;
    for (let c = 1; c < classes; c++) {
      if (labels[r * classes + c]! > labels[r * classes + label]!) label = c;
      if (exceeds(x[r * classes + c]!, x[r * classes + largest]!)) largest = c;
    }
    let larger = 0;
    for (let c = 0; c < classes; c++) if (x[r * classes + c]! > x[r * classes + label]!) larger++;
    return Number.isFinite(x[r * classes + largest]!) && larger < k ? 1 : 0;
  });
}

/** How many predictions lie above a threshold, by their labels: for each threshold. */
export interface Confusion {
  readonly truePositives: Float64Array;
  readonly falsePositives: Float64Array;
  readonly trueNegatives: Float64Array;
  readonly falseNegatives: Float64Array;
}

/** Thresholds at equal distances from 0 to 1; the first is 1e-7 below, the last 1e-7 above. */
export function thresholdsOf(count: number): number[] {
  return Array.from({ length: count }, (_, i) =>
    i === 0 ? -1e-7 : i === count - 1 ? 1 + 1e-7 : (i * 1) / (count - 1),
  );
}

/** Counts predictions, taken within 0 and 1 and a NaN as 0, by labels that are 0 or not. */
export function confusion(p: ArrayLike<number>, labels: ArrayLike<number>, thresholds: readonly number[]): Confusion {
  const counts = () => new Float64Array(thresholds.length);
  const all = { truePositives: counts(), falsePositives: counts(), trueNegatives: counts(), falseNegatives: counts() };
  thresholds.forEach((threshold, i) => {
    for (let j = 0; j < p.length; j++) {
      const above = Math.min(1, Math.max(0, Number.isNaN(p[j]!) ? 0 : p[j]!)) > threshold;
      const positive = labels[j] !== 0;
      if (above && positive) all.truePositives[i]!++;
      if (above && !positive) all.falsePositives[i]!++;
      if (!above && !positive) all.trueNegatives[i]!++;
      if (!above && positive) all.falseNegatives[i]!++;
    }
  });
  return all;
}

/**
 * For each row of x [rows, size]: of each of its places, numbers whose label is 0, then the others, how many are above each threshold, and how
 * many there are. A NaN is above none.
 */
export function rowsAbove(
  x: ArrayLike<number>,
  labels: ArrayLike<number>,
  size: number,
  thresholds: readonly number[],
  places = 1,
): number[] {
  const counts: number[] = [];
  for (let r = 0; r < x.length / size; r++)
    for (let place = 0; place < places; place++)
      for (const positive of [false, true])
        for (const threshold of [...thresholds, undefined]) {
          let count = 0;
          for (let i = place; i < size; i += places) {
            const [value, label] = [x[r * size + i]!, labels[r * size + i]! !== 0];
            if (label === positive && (threshold === undefined || value > threshold)) count++;
          }
          counts.push(count);
        }
  return counts;
}

const over = (a: number, b: number) => (b === 0 ? 0 : a / b);

/** Keras's `AUC.result()`. */
export function areaUnderCurve(
  { truePositives: tp, falsePositives: fp, trueNegatives: tn, falseNegatives: fn }: Confusion,
  { curve = "ROC", summationMethod: method = "interpolation" }: { curve?: string; summationMethod?: string } = {},
): number {
  let total = 0;
  for (let i = 0; i + 1 < tp.length; i++) {
    const j = i + 1;
    if (curve === "PR" && method === "interpolation") {
      const [p, next] = [tp[i]! + fp[i]!, tp[j]! + fp[j]!];
      const dtp = tp[i]! - tp[j]!;
      const slope = over(dtp, Math.max(p - next, 0));
      const intercept = tp[j]! - slope * next;
      const growth = p > 0 && next > 0 ? p / next : 1;
      total += over(slope * (dtp + intercept * Math.log(growth)), tp[j]! + fn[j]!);
      continue;
    }
    const recall = [i, j].map((at) => over(tp[at]!, tp[at]! + fn[at]!));
    const fallout = [i, j].map((at) => over(fp[at]!, fp[at]! + tn[at]!));
    const precision = [i, j].map((at) => over(tp[at]!, tp[at]! + fp[at]!));
    const [x, y] = curve === "ROC" ? [fallout, recall] : [recall, precision];
    const height = {
      interpolation: (y[0]! + y[1]!) / 2,
      minoring: Math.min(...y),
      majoring: Math.max(...y),
    }[method]!;
    total += (x[0]! - x[1]!) * height;
  }
  return total;
}
