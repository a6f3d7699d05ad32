import type { SystemName } from "./systems/system.ts";

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly samples: readonly number[];
}

/** `undefined` where there are no samples. */
export function spreadOf(samples: readonly number[]): Spread | undefined {
  if (samples.length === 0) return undefined;
  return { median: median(samples), min: Math.min(...samples), max: Math.max(...samples), samples };
}

/** `12.3 (11.0-15.2)`; a dash where there is nothing. */
export function spreadText(figures: Spread | null | undefined): string {
  if (!figures) return "-";
  const digits = figures.median < 1 ? 3 : figures.median < 100 ? 1 : 0;
  const [median, min, max] = [figures.median, figures.min, figures.max].map((value) => value.toFixed(digits));
  return figures.samples.length > 1 ? `${median} (${min}-${max})` : `${median}`;
}

/** Of an even number of samples, the mean of the two in the middle. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const RATIO_NAMES = ["tfjs-webgpu", "tfjs-webgl", "jax-js-webgpu", "jax-js-wasm", "borch-webgpu"] as const;

export type Ratios = Record<(typeof RATIO_NAMES)[number], number | null>;

/** Of the training step's median: theirs / ours, so that 10 says we are ten times as fast. Null: not measured. */
export function ratiosOf(stepMs: Partial<Record<SystemName, readonly number[]>>): Ratios {
  const ours = spreadOf(stepMs.featuremap ?? []);
  const ratio = (name: SystemName) => {
    const theirs = spreadOf(stepMs[name] ?? []);
    return ours && theirs ? theirs.median / ours.median : null;
  };
  return Object.fromEntries(RATIO_NAMES.map((name) => [name, ratio(name)])) as Ratios;
}

/** What a system computed in its first three steps. */
export interface Computed {
  readonly losses: readonly number[];
  /** Of one image, after the three steps. */
  readonly probabilities: readonly number[];
}

export const AGREEMENT = 1e-3;

/** Says where two systems do not compute the same network; `undefined` where all agree. NaN does not. */
export function disagreement(computed: readonly (readonly [SystemName, Computed])[]): string | undefined {
  const [reference, ...others] = computed;
  for (const [name, { losses, probabilities }] of others) {
    const [base, expected] = reference!;
    const far = (got: readonly number[], wanted: readonly number[]) =>
      got.length !== wanted.length || !got.every((value, i) => Math.abs(value - wanted[i]!) <= AGREEMENT);
    const words = (values: readonly number[]) => values.map((value) => value.toFixed(6)).join(", ");
    if (far(losses, expected.losses)) {
      return `The losses of the first steps differ: ${base} ${words(expected.losses)}; ${name} ${words(losses)}`;
    }
    if (far(probabilities, expected.probabilities)) {
      return `The probabilities differ: ${base} ${words(expected.probabilities)}; ${name} ${words(probabilities)}`;
    }
  }
  return undefined;
}
