import { FeaturemapError, finiteNumber, flag, knownKeys, wrong } from "../base/errors.ts";
import { batchShape, elements, type Shape, sameShape, showShape } from "../base/shape.ts";
import { isDataset } from "../data/dataset.ts";
import { type DataInput, isGpuData, type NestedNumbers, toTensor } from "../data/tensor.ts";
import { concatenated } from "../ops/arrange/concatenate.ts";
import { fill } from "../ops/elementwise/fill.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { axesOption, sampleAxes, sortedAxes } from "./axes.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, type LayerCall, type LayerInput, subject } from "./layer.ts";
import { joinedMoments, type Moments, momentsOf } from "./moments.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface NormalizationOptions extends LayerOptions {
  /**
   * Axis or axes along which each place has its own mean and variance, counted with the batch's, which is 0, or from the end. `null`: one
   * for all numbers. Default -1.
   */
  readonly axis?: number | readonly number[] | null;
  /** Mean: a number, or a list of one for each place. With it goes `variance`. Default: what `adapt` finds. */
  readonly mean?: number | NestedNumbers;
  readonly variance?: number | NestedNumbers;
  /** Whether it brings normalized numbers back. Default false. */
  readonly invert?: boolean;
}

/** Layer whose mean and variance `adapt` takes from data. */
export interface NormalizationLayer extends Layer {
  /**
   * Takes mean and variance from data, before the model is compiled. Models that are compiled already keep theirs. It is computed on the
   * processor, in float64. The data is what `fit` takes as `x`, but not on the GPU, or an iterable of batches, such as a generator.
   *
   * @throws FeaturemapError `value` for data that is none, or `axis` that it does not have; `state` where `mean` was given
   */
  adapt(data: DataInput | Iterable<DataInput>): void;
}

/** Most numbers of a mean that is given: each is a node of its own. */
const MAX_CONSTANTS = 64;

/** Smallest deviation that is divided by, as in Keras. */
const SMALLEST = 1e-7;

/**
 * Normalization by the mean and variance of the data, Keras's `Normalization` (`keras/src/layers/preprocessing/normalization.py`):
 * y = (x - mean) / max(sqrt(variance), 1e-7) or, inverted, y = mean + x max(sqrt(variance), 1e-7). Training and inference are alike, and
 * nothing is learned. What `adapt` found is two weights, `mean` and `variance`, which a saved model has. Before, they are 0 and 1.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong, or an axis that the input does not have; `shape`, when it is
 *   called or built, where mean and variance do not fit the input
 * @example
 * const scaled = normalization({ inputShape: [28, 28, 1] });
 * scaled.adapt(images);
 * const model = sequential([scaled, flatten(), dense({ units: 10, activation: "softmax" })]);
 */
export function normalization(options: NormalizationOptions = {}): NormalizationLayer {
  const where = "normalization";
  knownKeys(options, ["axis", "mean", "variance", "invert", ...LAYER_OPTIONS], where);
  const axis = options.axis === null ? [] : axesOption(options.axis ?? -1, `${where}: axis`);
  const invert = flag(options.invert ?? false, `${where}: invert`);
  const { mean, variance } = options;
  if ((mean === undefined) !== (variance === undefined))
    throw wrong(where, "be given both mean and variance, or neither", mean ?? variance);
  const given = mean === undefined ? undefined : givenMoments(mean, variance!, axis.length, where);
  const type = "Normalization";
  let adapted: Moments | undefined;
  const keptAxes = (rank: number, by: string) => (axis.length === 0 ? [] : sampleAxes(axis, rank, by));
  const initializer = (name: "mean" | "variance") => (shape: Shape) =>
    adapted ? Float32Array.from(adapted[name]) : new Float32Array(elements(shape)).fill(name === "mean" ? 0 : 1);
  const variables = ({ name, input }: LayerInput) => {
    const by = subject(type, name);
    const kept = keptAxes(input.length + 1, `${by}: axis`).map((each) => input[each - 1]!);
    if (given) {
      assertFits(given, kept, input, by);
      return [];
    }
    if (adapted && !sameShape(adapted.shape, kept)) {
      const message = `was adapted to ${showShape(adapted.shape)} places, but its input ${batchShape(input)} has`;
      throw new FeaturemapError("shape", `${by} ${message} ${showShape(kept)}.`);
    }
    // A tensor has an axis at least.
    const shape = kept.length === 0 ? [1] : kept;
    return (["mean", "variance"] as const).map((each) => ({
      name: each,
      shape,
      initializer: initializer(each),
      role: "statistic" as const,
    }));
  };
  const layer = defineLayer({
    type,
    ...layerOptions(options, where),
    config: { axis: axis.length === 0 ? null : axis, invert, ...(given && { mean, variance }) },
    variables,
    call: (call) => normalizedBy(call, momentsFor(call, axis, given), invert),
  });
  const adapt = (data: DataInput | Iterable<DataInput>) => {
    const by = `${where}: adapt`;
    if (given)
      throw new FeaturemapError("state", `${by} was called, but mean and variance were given. Leave them out.`);
    if (isDataset(data) || isGpuData(data))
      throw wrong(
        by,
        "be given numbers in memory",
        data,
        "Those of a data set are on the GPU: adapt to the arrays first.",
      );
    let found: Moments | undefined;
    for (const batch of batchesOf(data)) {
      const tensor = toTensor(batch, by);
      const made = momentsOf(tensor, keptAxes(tensor.shape.length, `${by}: axis`));
      found = found ? joinedMoments(found, made, by) : made;
    }
    if (!found) throw wrong(by, "be given at least one batch", data);
    const bad = [...found.mean, ...found.variance].find((value) => !Number.isFinite(Math.fround(value)));
    if (bad !== undefined) throw wrong(by, "be given finite numbers, whose mean and variance are", bad);
    adapted = found;
  };
  return Object.assign(layer, { adapt });
}

/** Batches of data: itself, but for what is iterated over. */
function batchesOf(data: DataInput | Iterable<DataInput>): Iterable<DataInput> {
  const isIterable = typeof (data as Iterable<DataInput>)?.[Symbol.iterator] === "function";
  return isIterable && !Array.isArray(data) && !ArrayBuffer.isView(data)
    ? (data as Iterable<DataInput>)
    : [data as DataInput];
}

interface Given {
  readonly shape: Shape;
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

function givenMoments(mean: unknown, variance: unknown, axes: number, where: string): Given {
  const read = (value: unknown, name: string) => {
    const at = `${where}: ${name}`;
    const { data, shape } = Array.isArray(value)
      ? toTensor(value as NestedNumbers, at)
      : { data: [finiteNumber(value, at)], shape: [] };
    const numbers = Array.from(data, (each) => finiteNumber(each, at, name === "variance" ? 0 : undefined));
    return { shape, numbers };
  };
  const [of, spread] = [read(mean, "mean"), read(variance, "variance")];
  if (!sameShape(of.shape, spread.shape)) throw wrong(`${where}: variance`, "have the shape of mean", variance);
  if (of.shape.length > axes) throw wrong(`${where}: mean`, `have at most as many axes as axis, ${axes}`, mean);
  if (of.numbers.length > MAX_CONSTANTS)
    throw wrong(`${where}: mean`, `have at most ${MAX_CONSTANTS} numbers`, mean, "adapt() takes more.");
  return { shape: of.shape, mean: of.numbers, variance: spread.numbers };
}

function assertFits({ shape }: Given, kept: Shape, input: Shape, by: string): void {
  const last = kept.slice(kept.length - shape.length);
  if (shape.every((size, i) => size === 1 || size === last[i])) return;
  const got = `${showShape(shape)} for ${batchShape(input)}`;
  throw new FeaturemapError(
    "shape",
    `${by}: mean and variance must have the sizes of the axes, ${showShape(kept)}, got ${got}.`,
  );
}

/** Mean and deviation as expressions, and the tensors that these read. */
interface MomentsRead {
  readonly mean: Expression;
  readonly deviation: Expression;
  readonly tensors: Readonly<Record<string, number>>;
}

function momentsFor(call: LayerCall, axis: readonly number[], given: Given | undefined): MomentsRead {
  const { input, variables, add, shapeOf } = call;
  if (given?.shape.length === 0) {
    const [mean, variance] = [given.mean[0]!, given.variance[0]!];
    return { mean, deviation: Math.max(Math.sqrt(variance), SMALLEST), tensors: {} };
  }
  const whole = shapeOf(input);
  const kept = sortedAxes(axis, whole.length);
  const spread = given ? kept.slice(kept.length - given.shape.length) : kept;
  const shape = whole.map((size, each) => {
    const place = spread.indexOf(each);
    return place < 0 ? 1 : (given?.shape[place] ?? size);
  });
  const deviation: Expression = ["maximum", ["sqrt", "variance"], SMALLEST];
  const listed = (values: readonly number[]) => {
    const each = values.map((value) => add(fill, {}, { shape: [1], value }).y);
    return each.length === 1 ? each[0]! : concatenated(add, each, 0);
  };
  const tensorOf = (name: "mean" | "variance") =>
    add(reshape, { x: given ? listed(given[name]) : variables[name]! }, { shape }).y;
  return { mean: "mean", deviation, tensors: { mean: tensorOf("mean"), variance: tensorOf("variance") } };
}

function normalizedBy(
  { input: x, add }: LayerCall,
  { mean, deviation, tensors }: MomentsRead,
  invert: boolean,
): number {
  const expression: Expression = invert
    ? ["add", mean, ["multiply", "x", deviation]]
    : ["divide", ["subtract", "x", mean], deviation];
  return evaluated(add, expression, { x, ...tensors });
}
