import { allocateFloats, lengthOf } from "../base/arrays.ts";
import { cut, FeaturemapError, knownKeys, listOf, show, wrong } from "../base/errors.ts";
import { batchShape, elements, type Shape, sameShape, showShape } from "../base/shape.ts";
import { type ColumnInputs, type ColumnKind, type Columns, columnsFor, HostData, inFloats } from "../data/columns.ts";
import { type Dataset, isDataset } from "../data/dataset.ts";
import { type Loss, labelsOf } from "../losses/loss.ts";
import type { Network } from "../network/network.ts";
import type { TrainingSettings } from "../program/compile-settings.ts";
import type { Feed } from "../program/feed.ts";
import { type BatchOptions, batching } from "../training/fit-options.ts";

/** Samples with their labels. */
export type Labelled = readonly [x: ColumnInputs, y: ColumnInputs] | Dataset;

/** Splits the arguments of a call, which are (dataset, options) or (x, y, options). */
export function splitCall(x: ColumnInputs | Dataset, y: unknown, options: unknown, where: string) {
  if (isDataset(x)) {
    if (options !== undefined)
      throw new FeaturemapError("value", `${where}(dataset, options): a Dataset brings its own labels.`);
    return { data: x, options: y as object | undefined };
  }
  return { data: { x, y: y as ColumnInputs | undefined }, options: options as object | undefined };
}

export function pairOf(validation: Labelled): Dataset | { x: ColumnInputs; y: ColumnInputs } {
  if (isDataset(validation)) return validation;
  if (!Array.isArray(validation) || validation.length !== 2)
    throw wrong("fit: validationData", "be [x, y] or a Dataset", validation);
  return { x: validation[0], y: validation[1] };
}

/** Checks labels. @throws FeaturemapError if there are none, or they do not suit a loss, a metric or the model's output */
export function checkLabels(
  { labels }: Columns,
  { outputs }: Network,
  { outputs: settings }: TrainingSettings,
  where: string,
): void {
  if (labels.length === 0) throw new FeaturemapError("value", `${where} needs labels y beside the samples x.`);
  columnsFor(outputs, labels, `${where}: y`).forEach((column, i) => {
    const { shape } = outputs[i]!;
    const { loss, metrics } = settings[i]!;
    loss.check(column, shape);
    for (const metric of metrics) metric.check?.(column, shape);
    assertKind(column, loss, shape, outputs.length > 1 ? `${where}: y.${settings[i]!.name}` : `${where}: y`);
  });
}

/** Lays labels out as the losses take them, so that batches are of one kind whatever their values are. */
export function asLossesTake(data: HostData, { outputs }: Network, settings: TrainingSettings): HostData {
  const labels = columnsFor(outputs, data.labels, "y").map((column, i) => {
    const { dtype } = labelsOf(settings.outputs[i]!.loss, outputs[i]!.shape);
    return dtype === "f32" ? inFloats(column) : column;
  });
  return new HostData({ ...data, labels });
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
  const columns = columnsFor(inputs, data.inputs, "x");
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
  return columnsFor(inputs, data.inputs, "x").map(
    ({ dtype, scale }, i) => scale ?? (dtype === "u8" ? byteScales[inputs[i]!.name] : undefined) ?? 1,
  );
}

/** Gives a data set as a model reads it, and checks its columns. */
export function feedOf(dataset: Dataset, network: Network, byteScales: Readonly<Record<string, number>>): Feed {
  const scales = scalesOf(dataset, network, byteScales);
  const inputs = columnsFor(network.inputs, dataset.inputs, "x");
  const labels = dataset.labels.length > 0 ? columnsFor(network.outputs, dataset.labels, "y") : [];
  return { dataset, inputs: inputs.map((column, i) => ({ ...column, scale: scales[i]! })), labels };
}

/** Most bytes of samples that a model keeps room for after a prediction. */
const MAX_KEPT_BYTES = 2 ** 20;

/** Tells whether samples are one batch from the host, and few enough to keep room for. */
export function isBatch(data: HostData | Dataset, batchSize: number): data is HostData {
  if (!(data instanceof HostData) || data.size > batchSize) return false;
  const bytes = data.inputs.map(({ words }) => words?.byteLength ?? Number.POSITIVE_INFINITY);
  return bytes.reduce((a, b) => a + b, 0) <= MAX_KEPT_BYTES;
}

/** @throws FeaturemapError `value` for columns in buffers of the app's, if samples are to be written to the model's own */
export function assertFromHost({ inputs, labels }: HostData, where: string): void {
  if (![...inputs, ...labels].some(({ words }) => words === undefined)) return;
  throw new FeaturemapError("value", `${where} takes numbers, got a GPUBuffer. Use fit() with createDataset().`);
}

/** @throws FeaturemapError `value` for an option that is unknown or out of range */
export function batchOptions(options: BatchOptions = {}, where: string) {
  knownKeys(options, ["batchSize", "stepsPerExecution", "submitMs", "signal"], where);
  return batching(options, where);
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
