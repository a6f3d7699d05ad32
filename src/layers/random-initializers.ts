import { allocateFloats } from "../base/arrays.ts";
import { FeaturemapError, finiteNumber, knownKeys, oneOf, wholeNumber, wrong } from "../base/errors.ts";
import { seedOf, uniform } from "../base/random.ts";
import { elements, type Shape, showShape } from "../base/shape.ts";
import { fans } from "./initializers.ts";

/** Initializer that a model's file keeps: a function that knows Keras's class name and the options that make it again. */
export interface SavableInitializer {
  (shape: Shape, seed: number): Float32Array;
  /** Keras's class name: `HeNormal`. */
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Option of every initializer that draws numbers. */
export interface SeedOption {
  /**
   * Whole number out of which the numbers are drawn. Then the same shape always gets the same numbers, as in Keras. Default: the
   * seed of the model and the place of the parameter.
   */
  readonly seed?: number;
}

/** Makes an initializer out of a rule for each number, or for all of them. */
function savable(
  className: string,
  config: Readonly<Record<string, unknown>>,
  values: (shape: Shape, seed: number) => Float32Array,
): SavableInitializer {
  const { seed: own } = config as SeedOption;
  const make = (shape: Shape, seed: number) => values(shape, own === undefined ? seed : seedOf(own));
  const known = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined));
  return Object.assign(make, { className, config: Object.freeze(known) });
}

function filled(shape: Shape, valueAt: (place: number) => number): Float32Array {
  return allocateFloats(elements(shape), "parameters").map((_, i) => valueAt(i));
}

function seedOption(seed: unknown, where: string): number | undefined {
  return seed === undefined ? undefined : wholeNumber(seed, `${where}: seed`);
}

/** Draws a number of the standard normal distribution (Box and Muller 1958). */
function normal(seed: number, index: number): number {
  // 1 - u lies in (0, 1], whose logarithm is finite.
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(seed, index)));
  return radius * Math.cos(2 * Math.PI * uniform(seedOf(seed, 1), index));
}

/** Draws a number of the standard normal distribution that is at most 2 from 0. Others are drawn again. */
function truncated(seed: number, index: number): number {
  for (let turn = 0; ; turn++) {
    const value = normal(turn === 0 ? seed : seedOf(seed, 2, turn), index);
    if (Math.abs(value) <= 2) return value;
  }
}

/** Options of `randomNormal` and `truncatedNormal`. */
export interface NormalOptions extends SeedOption {
  /** Default 0. */
  readonly mean?: number;
  /** Standard deviation, at least 0. Default 0.05. */
  readonly stddev?: number;
}

function normalOptions(options: NormalOptions, where: string) {
  knownKeys(options, ["mean", "stddev", "seed"], where);
  const mean = finiteNumber(options.mean ?? 0, `${where}: mean`);
  const stddev = finiteNumber(options.stddev ?? 0.05, `${where}: stddev`, 0);
  return { mean, stddev, seed: seedOption(options.seed, where) };
}

/**
 * Initializer by a normal distribution: Keras's `RandomNormal` (`keras/src/initializers/random_initializers.py`).
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 * @example
 * dense({ units: 10, kernelInitializer: randomNormal({ stddev: 0.01 }) });
 */
export function randomNormal(options: NormalOptions = {}): SavableInitializer {
  const config = normalOptions(options, "randomNormal");
  const { mean, stddev } = config;
  return savable("RandomNormal", config, (shape, seed) => filled(shape, (i) => mean + stddev * normal(seed, i)));
}

/**
 * Initializer by a normal distribution without its ends: numbers over two standard deviations from the mean are drawn again. Keras's
 * `TruncatedNormal`. As there, `stddev` is that of the distribution before its ends are cut. What is left has 0.88 times as much.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function truncatedNormal(options: NormalOptions = {}): SavableInitializer {
  const config = normalOptions(options, "truncatedNormal");
  const { mean, stddev } = config;
  return savable("TruncatedNormal", config, (shape, seed) => filled(shape, (i) => mean + stddev * truncated(seed, i)));
}

export interface RandomUniformOptions extends SeedOption {
  /** Smallest number. Default -0.05. */
  readonly minval?: number;
  /** Limit that numbers lie below, at least `minval`. Default 0.05. */
  readonly maxval?: number;
}

/**
 * Initializer by a uniform distribution on [minval, maxval): Keras's `RandomUniform`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function randomUniform(options: RandomUniformOptions = {}): SavableInitializer {
  const where = "randomUniform";
  knownKeys(options, ["minval", "maxval", "seed"], where);
  const minval = finiteNumber(options.minval ?? -0.05, `${where}: minval`);
  const maxval = finiteNumber(options.maxval ?? 0.05, `${where}: maxval`);
  if (maxval < minval) throw wrong(`${where}: maxval`, `be at least minval, ${minval}`, maxval);
  const config = { minval, maxval, seed: seedOption(options.seed, where) };
  const numbers = (shape: Shape, seed: number) => filled(shape, (i) => minval + (maxval - minval) * uniform(seed, i));
  return savable("RandomUniform", config, numbers);
}

const MODES = ["fanIn", "fanOut", "fanAvg"] as const;
const DISTRIBUTIONS = ["truncatedNormal", "untruncatedNormal", "uniform"] as const;

export interface VarianceScalingOptions extends SeedOption {
  /** Factor of the variance, above 0. Default 1. */
  readonly scale?: number;
  /** What the variance is divided by: the inputs of a number (default), its outputs, or their mean. */
  readonly mode?: (typeof MODES)[number];
  /** Default `truncatedNormal`. */
  readonly distribution?: (typeof DISTRIBUTIONS)[number];
}

/**
 * Initializer whose variance is scale / n, with n by `mode`: Keras's `VarianceScaling`. The inputs and outputs are counted by its
 * `compute_fans`: the positions of a kernel times its channels. A truncated normal distribution is widened by 1 / 0.87962566, so that
 * its variance is the same.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 * @example
 * conv2d({ filters: 8, kernelSize: 3, kernelInitializer: varianceScaling({ scale: 2, mode: "fanOut" }) });
 */
export function varianceScaling(options: VarianceScalingOptions = {}): SavableInitializer {
  const where = "varianceScaling";
  knownKeys(options, ["scale", "mode", "distribution", "seed"], where);
  const scale = finiteNumber(options.scale ?? 1, `${where}: scale`);
  if (scale <= 0) throw wrong(`${where}: scale`, "be above 0", scale);
  const mode = oneOf(options.mode ?? "fanIn", MODES, `${where}: mode`);
  const distribution = oneOf(options.distribution ?? "truncatedNormal", DISTRIBUTIONS, `${where}: distribution`);
  const config = { scale, mode, distribution, seed: seedOption(options.seed, where) };
  return savable("VarianceScaling", config, scaled(scale, mode, distribution));
}

function scaled(
  scale: number,
  mode: (typeof MODES)[number],
  distribution: (typeof DISTRIBUTIONS)[number],
): (shape: Shape, seed: number) => Float32Array {
  return (shape, seed) => {
    const [fanIn, fanOut] = fans(shape);
    const n = mode === "fanIn" ? fanIn : mode === "fanOut" ? fanOut : (fanIn + fanOut) / 2;
    const variance = scale / Math.max(1, n);
    if (distribution === "uniform") {
      const limit = Math.sqrt(3 * variance);
      return filled(shape, (i) => (2 * uniform(seed, i) - 1) * limit);
    }
    const stddev = Math.sqrt(variance);
    if (distribution === "untruncatedNormal") return filled(shape, (i) => stddev * normal(seed, i));
    // Standard deviation of the standard normal distribution cut at 2.
    return filled(shape, (i) => (stddev / 0.8796256610342398) * truncated(seed, i));
  };
}

/** Makes one of the named cases of `varianceScaling`, whose only option is the seed. */
/* @__NO_SIDE_EFFECTS__ */
function scaling(
  className: string,
  where: string,
  ...[scale, mode, distribution]: Parameters<typeof scaled>
): (options?: SeedOption) => SavableInitializer {
  return (options = {}) => {
    knownKeys(options, ["seed"], where);
    return savable(className, { seed: seedOption(options.seed, where) }, scaled(scale, mode, distribution));
  };
}

/**
 * Initializer by a truncated normal distribution of the variance 2 / (inputs + outputs): Keras's `GlorotNormal`. Its option is `seed`.
 */
export const glorotNormal = /* @__PURE__ */ scaling("GlorotNormal", "glorotNormal", 1, "fanAvg", "truncatedNormal");

/**
 * Initializer by a uniform distribution within sqrt(6 / (inputs + outputs)): Keras's `GlorotUniform`, and the default of kernels. Its
 * option is `seed`. Without one, the name `"glorotUniform"` does the same.
 */
export const glorotUniform = /* @__PURE__ */ scaling("GlorotUniform", "glorotUniform", 1, "fanAvg", "uniform");

/** Initializer by a truncated normal distribution of the variance 2 / inputs: Keras's `HeNormal`. Its option is `seed`. */
export const heNormal = /* @__PURE__ */ scaling("HeNormal", "heNormal", 2, "fanIn", "truncatedNormal");

/** Initializer by a uniform distribution within sqrt(6 / inputs): Keras's `HeUniform`. Its option is `seed`. */
export const heUniform = /* @__PURE__ */ scaling("HeUniform", "heUniform", 2, "fanIn", "uniform");

/** Initializer by a truncated normal distribution of the variance 1 / inputs: Keras's `LecunNormal`. Its option is `seed`. */
export const lecunNormal = /* @__PURE__ */ scaling("LecunNormal", "lecunNormal", 1, "fanIn", "truncatedNormal");

/** Initializer by a uniform distribution within sqrt(3 / inputs): Keras's `LecunUniform`. Its option is `seed`. */
export const lecunUniform = /* @__PURE__ */ scaling("LecunUniform", "lecunUniform", 1, "fanIn", "uniform");

export interface OrthogonalOptions extends SeedOption {
  /** Factor of the matrix. Default 1. */
  readonly gain?: number;
}

/**
 * Initializer by an orthogonal matrix: Keras's `Orthogonal`. All axes but the last are one. If there are fewer rows than columns the rows
 * are orthonormal, or else the columns. It is the Q of a matrix of normal numbers = QR, with a positive diagonal in R.
 *
 * A matrix of m x n takes m n min(m, n) steps on the processor: 1024 x 1024 takes about a second.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range; `shape`, when it is called, below two axes
 */
export function orthogonal(options: OrthogonalOptions = {}): SavableInitializer {
  const where = "orthogonal";
  knownKeys(options, ["gain", "seed"], where);
  const gain = finiteNumber(options.gain ?? 1, `${where}: gain`);
  const config = { gain, seed: seedOption(options.seed, where) };
  return savable("Orthogonal", config, (shape, seed) => {
    if (shape.length < 2) throw rankError(where, "two axes or more", shape);
    const columns = shape.at(-1)!;
    const rows = elements(shape) / columns;
    const [long, short] = [Math.max(rows, columns), Math.min(rows, columns)];
    const vectors = orthonormal(Array.from({ length: short }, (_, v) => vector(seed, long, short, v)));
    return filled(shape, (i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return gain * (rows < columns ? vectors[row]![column]! : vectors[column]![row]!);
    });
  });
}

/** Draws a column of a matrix of normal numbers, [length, columns]. */
function vector(seed: number, length: number, columns: number, column: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => normal(seed, i * columns + column));
}

/** Makes vectors orthonormal in place, one after another (Gram and Schmidt, modified). */
function orthonormal(vectors: readonly Float64Array[]): readonly Float64Array[] {
  vectors.forEach((vector, i) => {
    const size = 1 / Math.sqrt(product(vector, vector));
    for (let k = 0; k < vector.length; k++) vector[k]! *= size;
    for (const later of vectors.slice(i + 1)) {
      const part = product(vector, later);
      for (let k = 0; k < vector.length; k++) later[k]! -= part * vector[k]!;
    }
  });
  return vectors;
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/**
 * Initializer by the identity matrix, not square ones too: Keras's `Identity`. `gain` (default 1) is what its diagonal holds.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range; `shape`, when it is called, for other than two axes
 */
export function identity(options: { readonly gain?: number } = {}): SavableInitializer {
  knownKeys(options, ["gain"], "identity");
  const gain = finiteNumber(options.gain ?? 1, "identity: gain");
  return savable("Identity", { gain }, (shape) => {
    if (shape.length !== 2) throw rankError("identity", "two axes", shape);
    return filled(shape, (i) => (Math.floor(i / shape[1]!) === i % shape[1]! ? gain : 0));
  });
}

/** Initializer by zeros: Keras's `Zeros`. The name `"zeros"` does the same. */
export function zeros(): SavableInitializer {
  return savable("Zeros", {}, (shape) => filled(shape, () => 0));
}

/** Initializer by ones: Keras's `Ones`. The name `"ones"` does the same. */
export function ones(): SavableInitializer {
  return savable("Ones", {}, (shape) => filled(shape, () => 1));
}

/**
 * Initializer by one number: Keras's `Constant`, whose default is 0.
 *
 * @throws FeaturemapError `value` for an option that is unknown, or a value that is not finite
 * @example
 * dense({ units: 1, biasInitializer: constant({ value: 0.1 }) });
 */
export function constant(options: { readonly value?: number } = {}): SavableInitializer {
  knownKeys(options, ["value"], "constant");
  const value = finiteNumber(options.value ?? 0, "constant: value");
  return savable("Constant", { value }, (shape) => filled(shape, () => value));
}

function rankError(where: string, wanted: string, shape: Shape): FeaturemapError {
  return new FeaturemapError("shape", `${where}: a parameter must have ${wanted}, got shape ${showShape(shape)}.`);
}
