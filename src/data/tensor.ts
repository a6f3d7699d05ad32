import { allocateFloats, arrayType, holdsBytes, lengthOf } from "../base/arrays.ts";
import {
  FeaturemapError,
  finiteNumber,
  knownKeys,
  oneOf,
  positiveInteger,
  show,
  tagOf,
  wrong,
} from "../base/errors.ts";
import { elements, isShape, MAX_DIMENSIONS, type Shape, sameShape, showShape } from "../base/shape.ts";

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

/** Tensor that `tensor` makes: numbers with their shape, whose first axis is the samples. */
export interface TensorData {
  readonly data: TypedArray;
  readonly shape: Shape;
  /** Factor of every number, applied on the GPU, e.g. 1 / 255 for images of bytes. Default 1. */
  readonly scale?: number;
}

/**
 * Nested arrays of numbers. The innermost ones may be typed arrays or tensors: a list of them has one sample in each. Bytes stay bytes if
 * all are bytes.
 */
export type NestedNumbers = readonly (number | TypedArray | TensorData | NestedNumbers)[];

/** Samples or labels that `fit`, `evaluate` and `predict` take. A typed array without a shape has one number a sample. */
export type DataInput = TensorData | TypedArray | NestedNumbers;

/** Numbers in a buffer of the app's, with usage STORAGE, on the model's device. They are read whenever a step runs. */
export interface GpuData {
  readonly buffer: GPUBuffer;
  /** Shape: [samples, ...sample]. */
  readonly shape: Shape;
  /** Type: `f32` (default); for samples also `u8`, bytes, four to a word; for labels also `u32`, class numbers. */
  readonly dtype?: "f32" | "u8" | "u32";
  /** Factor of every number of samples, applied on the GPU. Default 1. */
  readonly scale?: number;
}

/** Data of one column of a data set. */
export type ColumnInput = DataInput | GpuData;

export function isGpuData(data: unknown): data is GpuData {
  return (
    tagOf(data) === "Object" &&
    Object.hasOwn(data as object, "buffer") &&
    tagOf((data as GpuData).buffer) === "GPUBuffer"
  );
}

/** Checks data in a buffer. @throws FeaturemapError `value`, `shape` if the buffer cannot hold them */
export function toGpuData(
  data: GpuData,
  where: string,
  dtypes: readonly ("f32" | "u8" | "u32")[],
): Required<Pick<GpuData, "buffer" | "shape" | "dtype">> & Pick<TensorData, "scale"> {
  knownKeys(data, ["buffer", "shape", "dtype", "scale"], where);
  const { buffer, shape, scale } = data;
  const dtype = oneOf(data.dtype ?? "f32", dtypes, `${where}: dtype`);
  if (!isShape(shape)) throw wrong(`${where}: shape`, "be an array of whole numbers, the samples first", shape);
  if (scale !== undefined) finiteNumber(scale, `${where}: scale`);
  const bytes = Math.ceil((elements(shape) * (dtype === "u8" ? 1 : 4)) / 4) * 4;
  if (buffer.size < bytes)
    throw new FeaturemapError(
      "shape",
      `${where} is ${dtype} ${showShape(shape)}, which is ${bytes} bytes, but its buffer has ${buffer.size}.`,
    );
  if ((buffer.usage & STORAGE_USAGE) === 0)
    throw new FeaturemapError(
      "value",
      `${where}: the buffer must have usage STORAGE. Make it with GPUBufferUsage.STORAGE.`,
    );
  return { buffer, shape: [...shape], dtype, ...(scale !== undefined && { scale }) };
}

/** GPUBufferUsage.STORAGE, as a number: hosts without a global GPUBufferUsage exist. */
const STORAGE_USAGE = 0x80;

/**
 * Makes a tensor: numbers with their shape, checked. A typed array is taken as it is, not copied. Plain arrays become 32-bit floats;
 * they may be flat, or nested as the shape says. A list of typed arrays has a sample in each, which is joined to the others.
 *
 * @example
 * const x = tensor(bytes, [60000, 28, 28, 1], { scale: 1 / 255 });
 * const y = tensor([0, 1, 1, 0], [2, 2]);
 * @throws FeaturemapError `value` for something that is no array of numbers; `shape` if the sizes do not multiply to its length
 */
export function tensor(
  data: TypedArray | NestedNumbers,
  shape: Shape,
  options: { readonly scale?: number } = {},
): TensorData {
  knownKeys(options, ["scale"], "tensor");
  const { scale } = options;
  return checked({ data, shape, ...(scale !== undefined && { scale }) }, "tensor");
}

/**
 * Turns class numbers into one-hot rows: [n, classes] of floats, 1 in the column of the class.
 *
 * @throws FeaturemapError `value` where there are no labels, or one is not a whole number in [0, classes)
 */
export function oneHot(labels: ArrayLike<number>, classes: number): TensorData {
  positiveInteger(classes, "oneHot: classes");
  const length = lengthOf(labels);
  if (!length) throw wrong("oneHot: labels", "be an array of class numbers, neither empty nor transferred", labels);
  // An array may be one hole of any length.
  const isClass = (label: unknown) => Number.isInteger(label) && (label as number) >= 0 && (label as number) < classes;
  const known: number[] = [];
  for (let i = 0; i < length; i++) {
    const label = labels[i]!;
    if (!isClass(label)) throw wrong(`oneHot: label ${i}`, `be a whole number in [0, ${classes})`, label);
    known.push(label);
  }
  const data = allocateFloats(known.length * classes, "oneHot");
  known.forEach((label, i) => {
    data[i * classes + label] = 1;
  });
  return { data, shape: [known.length, classes] };
}

/** Turns data that `fit` takes into a checked tensor. `where` names the argument. */
export function toTensor(input: DataInput, where: string): TensorData {
  if (Array.isArray(input)) return fromNested(input as NestedNumbers, where);
  if (isArrayOfNumbers(input) && input.length > 0) return { data: input, shape: [input.length] };
  return checked(input as TensorData, where);
}

/** Tensor whose data may be plain numbers. */
type Given = Omit<TensorData, "data"> & { readonly data: TypedArray | NestedNumbers };

function checked(input: Given, where: string): TensorData {
  const { data: given, shape, scale } = input ?? {};
  if (scale !== undefined) finiteNumber(scale, `${where}: scale`);
  const plain = Array.isArray(given) ? fromNested(given as NestedNumbers, where) : undefined;
  const data = plain ? plain.data : (given as TypedArray);
  const type = arrayType(data);
  if (!type || type.startsWith("Big")) {
    if ("data" in Object(input))
      throw wrong(`${where}: data`, "be a typed array, not of bigints, or nested arrays of numbers", given);
    throw wrong(where, "be tensor(data, shape), a typed array, nested arrays of numbers, or stream(batches)", input);
  }
  if (!isShape(shape)) {
    throw new FeaturemapError(
      "shape",
      `${where} must have a shape, an array of 1 to ${MAX_DIMENSIONS} whole numbers of at least 1, got ${show(shape)}.`,
    );
  }
  if (elements(shape) !== data.length || (plain && !isAsNested(plain.shape, shape, given as NestedNumbers))) {
    const holds = plain ? `is ${showShape(plain.shape)}` : `holds ${data.length}`;
    const gone = data.length === 0 ? " Was its buffer transferred?" : "";
    throw new FeaturemapError(
      "shape",
      `${where} has shape ${showShape(shape)}, which is ${elements(shape)} numbers, but its array ${holds}.${gone}`,
    );
  }
  const factor = scale ?? plain?.scale;
  // The checked copy is returned, since a getter of the input may give something else the next time.
  return { data, shape: [...shape], ...(factor !== undefined && { scale: factor }) };
}

/** Tells whether a shape suits arrays nested in another one, which may be flat. A list of typed arrays has flat samples. */
function isAsNested(nested: Shape, shape: Shape, [first]: NestedNumbers): boolean {
  if (isArrayOfNumbers(first)) return nested[0] === shape[0];
  return nested.length === 1 || sameShape(nested, shape);
}

/** Tells whether it is a typed array, not of bigints. */
function isArrayOfNumbers(value: unknown): value is TypedArray {
  const type = arrayType(value);
  return type !== undefined && !type.startsWith("Big");
}

/** Flattens nested arrays in one pass over the numbers, no deeper than a shape may be. Their leaves are numbers, arrays or tensors. */
function fromNested(nested: NestedNumbers, where: string): TensorData {
  const shape: number[] = [];
  let level: unknown = nested;
  for (; Array.isArray(level) && shape.length <= MAX_DIMENSIONS; level = level[0]) shape.push(level.length);
  const levels = shape.length;
  const leafOf = (value: unknown): TensorData | undefined => {
    if (isArrayOfNumbers(value)) return { data: value, shape: [value.length] };
    return tagOf(value) === "Object" && "data" in (value as object) ? checked(value as TensorData, where) : undefined;
  };
  const first = leafOf(level);
  if (first) shape.push(...first.shape);
  if (shape.length > MAX_DIMENSIONS)
    throw new FeaturemapError("shape", `${where} has arrays nested deeper than ${MAX_DIMENSIONS} levels.`);
  if (shape.includes(0))
    throw new FeaturemapError("shape", `${where} has an empty array in it, of shape ${showShape(shape)}.`);
  const ragged = (got: unknown, depth: number) => {
    const what = Array.isArray(got) ? `an array of ${got.length}` : show(got);
    const wanted = `must be a regular array of numbers of shape ${showShape(shape)}`;
    return new FeaturemapError("shape", `${where} ${wanted}, but at depth ${depth} it has ${what}.`);
  };
  if (!first && typeof level !== "number") throw ragged(level, levels);
  const leaves: TensorData[] = [];
  const floats = first ? undefined : allocateFloats(elements(shape), where);
  let filled = 0;
  const fill = (level: unknown, depth: number): void => {
    if (depth < levels) {
      if (!Array.isArray(level) || level.length !== shape[depth]) throw ragged(level, depth);
      for (let i = 0; i < level.length; i++) fill(level[i], depth + 1);
    } else if (floats) {
      if (typeof level !== "number") throw ragged(level, depth);
      floats[filled++] = level;
    } else {
      const leaf = leafOf(level);
      if (!leaf || !sameShape(leaf.shape, first!.shape) || leaf.scale !== first!.scale) throw ragged(level, depth);
      leaves.push(leaf);
    }
  };
  fill(nested, 0);
  return floats ? { data: floats, shape } : joined(leaves, shape, where);
}

/** Joins tensors of one shape. Bytes stay bytes. */
function joined(leaves: readonly TensorData[], shape: Shape, where: string): TensorData {
  const [{ data: first, scale }] = leaves as [TensorData];
  const data = leaves.every(({ data }) => holdsBytes(data))
    ? new Uint8Array(elements(shape))
    : allocateFloats(elements(shape), where);
  leaves.forEach((leaf, i) => {
    data.set(leaf.data, i * first.length);
  });
  return { data, shape, ...(scale !== undefined && { scale }) };
}
