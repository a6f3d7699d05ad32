import { FeaturemapError, finiteNumber, knownKeys, positiveInteger, show } from "../errors.ts";
import { elements, type Shape, showShape } from "../shape.ts";

export type TypedArray =
  | Uint8Array
  | Uint8ClampedArray
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** Numbers with their shape, the first axis being the samples. */
export interface TensorData {
  readonly data: TypedArray;
  readonly shape: Shape;
  /** Every number is multiplied by it on the GPU, e.g. 1 / 255 for images of bytes. Default 1. */
  readonly scale?: number;
}

export type NestedNumbers = readonly (number | NestedNumbers)[];

/** What `fit`, `evaluate` and `predict` take as samples or labels. */
export type DataInput = TensorData | NestedNumbers;

/**
 * A typed array with its shape, checked.
 *
 * @throws FeaturemapError `shape` where the sizes do not multiply to the array's length
 */
export function tensor(data: TypedArray, shape: Shape, options: { readonly scale?: number } = {}): TensorData {
  knownKeys(options, ["scale"], "tensor");
  return checked({ data, shape, ...options }, "tensor");
}

/**
 * Class numbers as one-hot rows: [n, classes] of floats, 1 in the label's column.
 *
 * @throws FeaturemapError `value` where a label is not a whole number in [0, classes)
 */
export function oneHot(labels: ArrayLike<number>, classes: number): TensorData {
  positiveInteger(classes, "oneHot: classes");
  if (typeof labels?.length !== "number")
    throw new FeaturemapError("value", `oneHot: labels must be an array of class numbers, got ${show(labels)}.`);
  const data = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new FeaturemapError("value", `oneHot: label ${i} must be a whole number in [0, ${classes}), got ${label}.`);
    }
    data[i * classes + label] = 1;
  }
  return { data, shape: [labels.length, classes] };
}

/** Anything that `fit` takes, as a checked tensor; `where` names the argument. */
export function toTensor(input: DataInput, where: string): TensorData {
  if (Array.isArray(input)) return fromNested(input as NestedNumbers, where);
  return checked(input as TensorData, where);
}

function checked(input: TensorData, where: string): TensorData {
  const { data, shape, scale } = input ?? {};
  if (
    !ArrayBuffer.isView(data) ||
    data instanceof DataView ||
    data instanceof BigInt64Array ||
    data instanceof BigUint64Array
  ) {
    throw new FeaturemapError(
      "value",
      `${where} must be { data: a typed array, shape }, nested arrays of numbers or a Dataset, got ${show(input)}.`,
    );
  }
  if (!Array.isArray(shape) || shape.length < 1 || !shape.every((size) => Number.isInteger(size) && size >= 1)) {
    throw new FeaturemapError(
      "shape",
      `${where} must have a shape of whole numbers of at least 1, got ${show(shape)}.`,
    );
  }
  if (elements(shape) !== data.length) {
    throw new FeaturemapError(
      "shape",
      `${where} has shape ${showShape(shape)}, which is ${elements(shape)} numbers, but its array holds ${data.length}.`,
    );
  }
  if (scale !== undefined) finiteNumber(scale, `${where}: scale`);
  return input;
}

function fromNested(nested: NestedNumbers, where: string): TensorData {
  const shape: number[] = [];
  for (let level: unknown = nested; Array.isArray(level); level = level[0]) shape.push(level.length);
  if (shape.includes(0))
    throw new FeaturemapError("shape", `${where} has an empty array in it, of shape ${showShape(shape)}.`);
  const data = new Float32Array(elements(shape));
  let filled = 0;
  const fill = (level: unknown, depth: number): void => {
    if (depth === shape.length) {
      if (typeof level !== "number") throw ragged(level, depth);
      data[filled++] = level;
      return;
    }
    if (!Array.isArray(level) || level.length !== shape[depth]) throw ragged(level, depth);
    for (const inner of level) fill(inner, depth + 1);
  };
  const ragged = (got: unknown, depth: number) =>
    new FeaturemapError(
      "shape",
      `${where} must be a regular array of shape ${showShape(shape)}, but at depth ${depth} it has ` +
        `${Array.isArray(got) ? `an array of ${got.length}` : show(got)}.`,
    );
  fill(nested, 0);
  return { data, shape };
}
