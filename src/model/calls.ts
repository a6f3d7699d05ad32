import { floats, lengthOf } from "../base/arrays.ts";
import { FeaturemapError, knownKeys, listOf, show, wrong } from "../base/errors.ts";
import { batchShape, elements, type Shape, sameShape, showShape } from "../base/shape.ts";
import { type Dataset, type HostData, isDataset } from "../data/dataset.ts";
import type { DataInput } from "../data/tensor.ts";
import type { Loss } from "../losses/losses.ts";
import { type BatchOptions, batching } from "../training/fit-options.ts";

/** Samples with their labels. */
export type Labelled = readonly [x: DataInput, y: DataInput] | Dataset;

/** The two ways to call: (dataset, options) and (x, y, options). */
export function splitCall(x: DataInput | Dataset, y: unknown, options: unknown, where: string) {
  if (isDataset(x)) {
    if (options !== undefined)
      throw new FeaturemapError("value", `${where}(dataset, options): a Dataset brings its own labels.`);
    return { data: x, options: y as object | undefined };
  }
  return { data: { x, y: y as DataInput | undefined }, options: options as object | undefined };
}

export function pairOf(validation: Labelled): Dataset | { x: DataInput; y: DataInput } {
  if (isDataset(validation)) return validation;
  if (!Array.isArray(validation) || validation.length !== 2)
    throw wrong("fit: validationData", "be [x, y] or a Dataset", validation);
  return { x: validation[0], y: validation[1] };
}

/** @throws FeaturemapError where there are no labels, or they do not suit the loss or the model's output */
export function checkLabels({ y }: HostData | Dataset, output: Shape, loss: Loss, where: string): void {
  if (!y) throw new FeaturemapError("value", `${where} needs labels y beside the samples x.`);
  if (output.length !== 1) {
    throw new FeaturemapError(
      "shape",
      `${where}: the model's output is ${batchShape(output)}, but losses want [batch, classes]. ` +
        "Let the model end in flatten() and a dense layer with as many units as there are classes.",
    );
  }
  loss.check(y, output);
}

/** What bytes are multiplied by from now on, where training sees bytes. */
export function byteScaleOf({ x }: HostData | Dataset): number | undefined {
  return x.dtype === "u8" ? (x.scale ?? 1) : undefined;
}

/** What samples are multiplied by, where bytes without a scale of their own are by `byteScale`. */
export function scaleOf({ x }: HostData | Dataset, byteScale: number | undefined): number {
  return x.scale ?? (x.dtype === "u8" ? byteScale : undefined) ?? 1;
}

/** Bytes of samples that a model keeps room for after a prediction. */
const MOST_KEPT = 2 ** 20;

/** Whether samples are one batch from the host, and few enough to keep room for. */
export function isBatch(data: HostData | Dataset, batchSize: number): data is HostData {
  return "words" in data.x && data.size <= batchSize && data.x.words.byteLength <= MOST_KEPT;
}

/** @throws FeaturemapError `value` for an option that is unknown or out of range */
export function batchOptions(options: BatchOptions = {}, where: string) {
  knownKeys(options, ["batchSize", "stepsPerExecution", "submitMs", "signal"], where);
  return batching(options, where);
}

/**
 * Parameters' values in a copy.
 *
 * @throws FeaturemapError `shape` where there are not as many arrays as parameters, or one has another shape; `value` where a
 *   number is none, or not finite as a 32-bit float
 */
export function checkedWeights(
  weights: readonly { readonly shape?: Shape; readonly data: ArrayLike<number> }[],
  parameters: readonly { readonly path: string; readonly shape: Shape }[],
): Float32Array[] {
  if (listOf(weights, "setWeights: weights").length !== parameters.length) {
    const wanted = `${parameters.length} arrays, one a parameter`;
    throw new FeaturemapError("shape", `setWeights wants ${wanted}, got ${weights.length}.`);
  }
  return parameters.map(({ path, shape }, i) => {
    const { data, shape: given } = weights[i] ?? { data: undefined };
    const fits = given === undefined || (Array.isArray(given) && sameShape(given, shape));
    if (!data || lengthOf(data) !== elements(shape) || !fits) {
      const got = !fits ? show(given) : data ? `data of ${show(data)}` : `${show(weights[i])} in place of { data }`;
      throw new FeaturemapError(
        "shape",
        `setWeights: "${path}" has shape ${showShape(shape)}, got ${got} at place ${i}.`,
      );
    }
    const values = floats(elements(shape), `setWeights: "${path}"`);
    for (let at = 0; at < values.length; at++) {
      const number: unknown = data[at];
      if (typeof number !== "number" || !Number.isFinite(Math.fround(number)))
        throw wrong(`setWeights: "${path}", number ${at},`, "be finite, as a 32-bit float", number);
      values[at] = number;
    }
    return values;
  });
}
