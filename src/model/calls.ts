import { allocateFloats, lengthOf } from "../base/arrays.ts";
import { anObject, cut, FeaturemapError, knownKeys, listOf, show, wrong } from "../base/errors.ts";
import { batchShape, elements, type Shape, sameShape, showShape } from "../base/shape.ts";
import {
  type ColumnInputs,
  type ColumnKind,
  type Columns,
  columnsFor,
  columnsOf,
  type DataInputs,
  HostData,
  inFloats,
} from "../data/columns.ts";
import { type Dataset, isDataset } from "../data/dataset.ts";
import { splitForValidation } from "../data/split.ts";
import { type Loss, labelsOf } from "../losses/loss.ts";
import type { Network } from "../network/network.ts";
import type { TrainingSettings } from "../program/compile-settings.ts";
import type { Feed } from "../program/feed.ts";
import { checkedCallbacks } from "../training/callback.ts";
import { WEIGH } from "../training/class-weight.ts";
import { batching, type EvaluateOptions, type FitOptions } from "../training/fit-options.ts";

/** Samples with their labels and, if they have some, their weights. */
export type Labelled = readonly [x: ColumnInputs, y: ColumnInputs, sampleWeight?: ColumnInputs | undefined] | Dataset;

/** Option of calls on samples and labels. */
export interface WeightOptions {
  /**
   * Factor of each sample's loss, [samples], as in Keras: the loss is the mean of the products. For several outputs by name, or one for
   * all. Metrics have no weights. A `Dataset` brings its own.
   */
  readonly sampleWeight?: ColumnInputs | undefined;
}

/** Splits the arguments of a call, which are (dataset, options) or (x, y, options), into data and the other options. */
export function splitCall<O extends object>(x: ColumnInputs | Dataset, y: unknown, options: unknown, where: string) {
  if (isDataset(x)) {
    if (options !== undefined)
      throw new FeaturemapError("value", `${where}(dataset, options): a Dataset brings its own labels.`);
    const { sampleWeight, ...rest } = anObject((y ?? {}) as O & WeightOptions, `${where}: options`);
    if (sampleWeight !== undefined)
      throw new FeaturemapError("value", `${where}: sampleWeight: give it to createDataset(), beside x and y.`);
    return { data: x, options: (x.sized?.(rest, where) ?? rest) as unknown as O };
  }
  const { sampleWeight, ...rest } = anObject((options ?? {}) as O & WeightOptions, `${where}: options`);
  return { data: { x, y: y as ColumnInputs, sampleWeight }, options: rest as unknown as O };
}

/** Gives the data of a list by name. @throws FeaturemapError `value` unless it is [x, y] or [x, y, sampleWeight], or a data set */
export function dataOf(given: Labelled, where: string, or = "a Dataset"): Dataset | DataInputs {
  if (isDataset(given)) return given;
  if (!Array.isArray(given) || given.length < 2 || given.length > 3)
    throw wrong(where, `be [x, y], [x, y, sampleWeight] or ${or}`, given);
  const [x, y, sampleWeight] = given as Exclude<Labelled, Dataset>;
  return { x, y, sampleWeight };
}

/**
 * Checks labels and weights.
 *
 * @throws FeaturemapError if there are no labels, or they do not suit a loss, a metric or an output; if weights are of no output
 */
export function checkLabels(data: Columns, network: Network, training: TrainingSettings, where: string): void {
  const { outputs } = network;
  const { outputs: settings } = training;
  const labels = trainedColumns(data, "label", network, training);
  if (labels.length === 0) throw new FeaturemapError("value", `${where} needs labels y beside the samples x.`);
  columnsFor(settings, labels, `${where}: y`).forEach((column, i) => {
    const { name, index, loss, metrics } = settings[i]!;
    const { shape } = outputs[index]!;
    loss.check(column, shape);
    assertKind(column, loss, shape, settings.length > 1 ? `${where}: y.${name}` : `${where}: y`);
    // Metrics get the labels as the loss takes them.
    const labels = { ...column, dtype: labelsOf(loss, shape).dtype };
    for (const metric of metrics) metric.check?.(labels, shape);
  });
  weightsFor(settings, trainedColumns(data, "weight", network, training), `${where}: sampleWeight`);
}

/** Gives the labels or weights without those of outputs that have no loss, which are not read. */
function trainedColumns<C extends ColumnKind>(
  data: Columns<C>,
  role: "label" | "weight",
  { outputs }: Network,
  training: TrainingSettings,
): C[] {
  const trained = training.outputs.map(({ name }) => name);
  const untrained = outputs.map(({ name }) => name).filter((name) => !trained.includes(name));
  return columnsOf(data, role).filter(({ name }) => name === undefined || !untrained.includes(name));
}

/**
 * Finds the weights of each output. Outputs that are not named have none. A column without a name is of all outputs.
 *
 * @throws FeaturemapError `value` for a column of no output
 */
function weightsFor<C extends ColumnKind>(
  outputs: readonly { readonly name: string }[],
  columns: readonly C[],
  where: string,
): (C | undefined)[] {
  const [first] = columns;
  if (!first) return [];
  if (first.name === undefined) return outputs.map(() => first);
  const names = outputs.map(({ name }) => name);
  const spare = columns.find(({ name }) => !names.includes(name!));
  if (spare) {
    const list = `{ ${names.join(", ")} }`;
    throw new FeaturemapError("value", `${where} has a column "${spare.name}", the losses are of ${list}.`);
  }
  return names.map((name) => columns.find((column) => column.name === name));
}

/** Lays labels out as the losses take them, so that batches are of one kind whatever their values are. */
export function asLossesTake(data: HostData, network: Network, training: TrainingSettings): HostData {
  const { outputs } = training;
  const labels = columnsFor(outputs, trainedColumns(data, "label", network, training), "y").map((column, i) => {
    const { loss, index } = outputs[i]!;
    const { dtype } = labelsOf(loss, network.outputs[index]!.shape);
    return dtype === "f32" ? inFloats(column) : column;
  });
  const weights = trainedColumns(data, "weight", network, training);
  const columns = [...columnsOf(data, "input"), ...labels, ...weights];
  return new HostData({ size: data.size, columns });
}

/** Checks labels against what a loss says that it takes: its `check` may have let others through. */
function assertKind({ shape, dtype }: ColumnKind, loss: Loss, output: Shape, where: string): void {
  const wanted = labelsOf(loss, output);
  if (!sameShape(shape, wanted.shape)) {
    const shapes = `labels of ${batchShape(wanted.shape)}, got ${batchShape(shape)}`;
    throw new FeaturemapError("shape", `${where}: loss "${cut(loss.name)}" takes ${shapes}.`);
  }
  if (wanted.dtype === "u32" && dtype !== "u32")
    throw new FeaturemapError("value", `${where}: loss "${cut(loss.name)}" takes class numbers, got floats.`);
}

/** Gives the factor of each input's bytes, for the inputs that training sees as bytes. */
export function byteScalesOf(data: Columns, { inputs }: Network): Readonly<Record<string, number>> {
  const columns = columnsFor(inputs, columnsOf(data, "input"), "x");
  return Object.fromEntries(
    columns.flatMap(({ dtype, scale }, i) => (dtype === "u8" ? [[inputs[i]!.name, scale ?? 1]] : [])),
  );
}

/** Gives the factor of each input. That of bytes without a scale of their own is in `byteScales`. */
export function scalesOf(
  data: Columns,
  { inputs }: Network,
  byteScales: Readonly<Record<string, number>>,
): readonly number[] {
  return columnsFor(inputs, columnsOf(data, "input"), "x").map(
    ({ dtype, scale }, i) => scale ?? (dtype === "u8" ? byteScales[inputs[i]!.name] : undefined) ?? 1,
  );
}

/** Gives a data set as a model reads it, and checks its columns. Labels and weights are those that training takes; without it, none. */
export function feedOf(
  dataset: Dataset,
  network: Network,
  training: TrainingSettings | undefined,
  byteScales: Readonly<Record<string, number>>,
): Feed {
  const scales = scalesOf(dataset, network, byteScales);
  const inputs = columnsFor(network.inputs, columnsOf(dataset, "input"), "x");
  const read = inputs.map((column, index) => ({ ...column, index, scale: scales[index]! }));
  if (!training) return { dataset, columns: read };
  const { outputs } = training;
  const given = trainedColumns(dataset, "label", network, training);
  const labels = given.length > 0 ? columnsFor(outputs, given, "y") : [];
  const weights = weightsFor(outputs, trainedColumns(dataset, "weight", network, training), "sampleWeight");
  const columns = [
    ...read,
    ...labels.map((column, i) => ({ ...column, index: outputs[i]!.index, scale: 1 })),
    ...weights.flatMap((column, i) => (column ? [{ ...column, index: outputs[i]!.index, scale: 1 }] : [])),
  ];
  return { dataset, columns };
}

/**
 * Gives the data to train on and, with `validationSplit`, those held out.
 *
 * @throws FeaturemapError `value` for a `Dataset` that is to be split, or labels without classes that are to have weights
 */
export function partsOf(
  data: HostData | Dataset,
  { validationSplit = 0, validationData, classWeight }: FitOptions<unknown>,
): readonly [training: HostData | Dataset, held?: HostData] {
  const host = data instanceof HostData;
  if (host) classWeight?.[WEIGH].check(columnsOf(data, "label"));
  if (validationSplit === 0 || validationData !== undefined) return [data];
  if (host) return splitForValidation(data, validationSplit);
  throw wrong("fit: validationSplit", "be of arrays. Divide a Dataset: dataset.split({ at: 0.8 })", data);
}

/** Most bytes of samples that a model keeps room for after a prediction. */
const MAX_KEPT_BYTES = 2 ** 20;

/** Tells whether samples are one batch from the host, and few enough to keep room for. */
export function isBatch(data: HostData | Dataset, batchSize: number): data is HostData {
  if (!(data instanceof HostData) || data.size > batchSize) return false;
  const bytes = columnsOf(data, "input").map(({ words }) => words?.byteLength ?? Number.POSITIVE_INFINITY);
  return bytes.reduce((a, b) => a + b, 0) <= MAX_KEPT_BYTES;
}

/** @throws FeaturemapError `value` for columns in buffers of the app's, if samples are to be written to the model's own */
export function assertFromHost({ columns }: HostData, where: string): void {
  if (!columns.some(({ words }) => words === undefined)) return;
  throw new FeaturemapError("value", `${where} takes numbers, got a GPUBuffer. Use fit() with createDataset().`);
}

/** @throws FeaturemapError `value` for an option that is unknown or out of range */
export function batchOptions(options: EvaluateOptions = {}, where: string) {
  knownKeys(options, ["batchSize", "stepsPerExecution", "submitMs", "signal", "callbacks"], where);
  return {
    ...batching(options, where),
    callbacks: checkedCallbacks(options.callbacks ?? [], `${where}: callbacks`),
  };
}

/**
 * Checks weights and copies their values.
 *
 * @throws FeaturemapError `shape` where there are not as many arrays as weights, or one has another shape; `value` where a
 *   number is none, or not finite as a 32-bit float
 */
export function checkedWeights(
  weights: readonly { readonly shape?: Shape; readonly data: ArrayLike<number> }[],
  variables: readonly { readonly path: string; readonly shape: Shape }[],
): Float32Array[] {
  if (listOf(weights, "setWeights: weights").length !== variables.length) {
    const wanted = `${variables.length} arrays, one a parameter`;
    throw new FeaturemapError("shape", `setWeights wants ${wanted}, got ${weights.length}.`);
  }
  return variables.map(({ path, shape }, i) => {
    const { data, shape: given } = weights[i] ?? { data: undefined };
    const fits = given === undefined || (Array.isArray(given) && sameShape(given, shape));
    if (!data || lengthOf(data) !== elements(shape) || !fits) {
      const got = !fits ? show(given) : data ? `data of ${show(data)}` : `${show(weights[i])} in place of { data }`;
      throw new FeaturemapError(
        "shape",
        `setWeights: "${path}" has shape ${showShape(shape)}, got ${got} at place ${i}.`,
      );
    }
    const values = allocateFloats(elements(shape), `setWeights: "${path}"`);
    for (let at = 0; at < values.length; at++) {
      const number: unknown = data[at];
      if (typeof number !== "number" || !Number.isFinite(Math.fround(number)))
        throw wrong(`setWeights: "${path}", number ${at},`, "be finite, as a 32-bit float", number);
      values[at] = number;
    }
    return values;
  });
}
