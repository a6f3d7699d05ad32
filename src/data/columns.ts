import { allocateFloats, arrayType, holdsBytes } from "../base/arrays.ts";
import { FeaturemapError, tagOf, wrong } from "../base/errors.ts";
import { elements, type Shape, showShape } from "../base/shape.ts";
import type { DType } from "../graph/tensor.ts";
import { type ColumnInput, type DataInput, isGpuData, type TensorData, toGpuData, toTensor } from "./tensor.ts";

/** Kind of a column of a data set. A column has as many numbers for each sample, under a name. */
export interface ColumnKind {
  /** Name; `undefined` if the data came without one, as the only column of inputs or labels. */
  readonly name: string | undefined;
  /** Shape of one sample or label. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** Factor of its numbers on the GPU. */
  readonly scale: number | undefined;
  /** Largest class number, if labels are class numbers that the host has seen. */
  readonly largestClass: number | undefined;
  /** First label that is no class number, if there is one number a sample and the host has seen them. */
  readonly notClass?: LabelNumber | undefined;
  /** First number below 0, of labels that the host has seen. */
  readonly negative?: LabelNumber | undefined;
}

/** Number among labels, and its place. */
export interface LabelNumber {
  readonly at: number;
  readonly value: number;
}

/** Column on the GPU. */
export interface Column extends ColumnKind {
  readonly buffer: GPUBuffer;
}

/** Column before its upload: words as they will lie on the GPU, or a buffer of the app's, which stays the app's. */
export interface HostColumn extends ColumnKind {
  readonly words: ArrayBufferView<ArrayBuffer> | undefined;
  readonly buffer: GPUBuffer | undefined;
}

/** Columns of one length: a model's inputs, and its labels. */
export interface Columns<C extends ColumnKind = ColumnKind> {
  /** Number of samples. */
  readonly size: number;
  readonly inputs: readonly C[];
  readonly labels: readonly C[];
}

/** Checked samples, and labels if there are any, before their upload. */
export class HostData implements Columns<HostColumn> {
  readonly size: number;
  readonly inputs: readonly HostColumn[];
  readonly labels: readonly HostColumn[];

  constructor({ size, inputs, labels }: Columns<HostColumn>) {
    this.size = size;
    this.inputs = inputs;
    this.labels = labels;
  }
}

/** Data of one column, or of several by name. */
export type ColumnInputs = ColumnInput | Readonly<Record<string, ColumnInput>>;

/**
 * Checks samples and labels and lays them out for the GPU. Bytes (`Uint8Array`) stay bytes, four to a word. Other types become 32-bit
 * floats. Labels of one number a sample, [n] or [n, 1], are class numbers if all of them are whole and at least 0. Other labels are
 * floats of any shape. Losses say whether labels suit a model.
 *
 * @throws FeaturemapError `shape` where columns have different numbers of samples; `value` where a label is not finite
 */
export function hostData(input: { readonly x: ColumnInputs; readonly y?: ColumnInputs | undefined }): HostData {
  const inputs = named(input.x, "x").map(([name, data, where]) => columnOf(name, data, where, sampleWords));
  const labels =
    input.y === undefined
      ? []
      : named(input.y, "y").map(([name, data, where]) => columnOf(name, data, where, labelWords));
  const [first, ...others] = [...inputs, ...labels];
  const { rows: size } = first!;
  const other = others.find(({ rows }) => rows !== size);
  if (other) {
    const shapes = [first!, other].map(({ given }) => showShape(given)).join(" and ");
    const message = `${first!.where} has ${size} samples, but ${other.where} has ${other.rows}: shapes ${shapes}`;
    throw new FeaturemapError("shape", `${message}.`);
  }
  return new HostData({ size, inputs: inputs.map(columnIn), labels: labels.map(columnIn) });
}

function columnIn<C>({ column }: { readonly column: C }): C {
  return column;
}

/** Tells whether a column may have a name. An object with one of the others is data without a name. */
export function isColumnName(name: string): boolean {
  return !["data", "shape", "buffer"].includes(name);
}

/** Lists names, data, and the data's names in messages. An object that is no tensor has a column for each of its keys. */
function named(given: ColumnInputs, where: string): [string | undefined, ColumnInput, string][] {
  const record = tagOf(given) === "Object" && !("data" in given) && !isGpuData(given);
  if (!record) return [[undefined, given as ColumnInput, where]];
  const entries = Object.entries(given as Readonly<Record<string, ColumnInput>>);
  if (entries.length === 0 || "shape" in given) return [[undefined, given as unknown as ColumnInput, where]];
  return entries.map(([name, data]) => [name, data, `${where}.${name}`]);
}

/** Copies numbers, which then outlive a device and whatever the caller does. @throws FeaturemapError if they are none */
export function copiedColumns(given: ColumnInputs, where: string): ColumnInputs {
  const copies = named(given, where).map(([name, data, at]) => {
    if (isGpuData(data)) throw wrong(at, "be numbers, which outlive a device", data.buffer);
    const tensor = toTensor(data, at);
    return [name, { ...tensor, data: tensor.data.slice() }] as const;
  });
  const [[name, only]] = copies as [(typeof copies)[number]];
  return name === undefined ? only : Object.fromEntries(copies);
}

type ColumnWords = Pick<HostColumn, "dtype" | "largestClass" | "notClass" | "negative"> & {
  readonly words: ArrayBufferView<ArrayBuffer>;
  readonly shape?: Shape;
  readonly scale?: number | undefined;
};

function columnOf(
  name: string | undefined,
  data: ColumnInput,
  where: string,
  layOut: (tensor: TensorData, where: string) => ColumnWords,
): { readonly rows: number; readonly given: Shape; readonly where: string; readonly column: HostColumn } {
  if (isGpuData(data)) {
    const labels = layOut === labelWords;
    const { buffer, dtype, scale, shape } = toGpuData(data, where, ["f32", labels ? "u32" : "u8"]);
    if (dtype === "u32" && elements(shape) !== shape[0]) {
      const got = `[samples] or [samples, 1], got ${showShape(shape)}`;
      throw new FeaturemapError("shape", `${where}: class numbers must be ${got}.`);
    }
    if (labels && scale !== undefined) throw wrong(`${where}: scale`, "be left out, of labels in a buffer", scale);
    const [rows, ...sample] = shape as [number, ...number[]];
    const kind = { name, dtype, scale, largestClass: undefined, shape: sample.length === 0 ? [1] : sample };
    return { rows, given: shape, where, column: { ...kind, words: undefined, buffer } };
  }
  const tensor = toTensor(data as DataInput, where);
  const [rows, ...sample] = tensor.shape as [number, ...number[]];
  const kind = { name, shape: sample, scale: tensor.scale, buffer: undefined };
  return { rows, given: tensor.shape, where, column: { ...kind, ...layOut(tensor, where) } };
}

function sampleWords({ data }: TensorData, where: string): ColumnWords {
  const kind = { largestClass: undefined } as const;
  if (holdsBytes(data)) return { ...kind, words: wholeWords(data), dtype: "u8" };
  if (arrayType(data) === "Float32Array") return { ...kind, words: wholeWords(data as Float32Array), dtype: "f32" };
  const words = allocateFloats(data.length, where);
  words.set(data);
  return { ...kind, words, dtype: "f32" };
}

/** Gives an array that `writeBuffer` takes: of whole words, in memory that is neither shared nor resizable. It copies only if it must. */
function wholeWords(data: Uint8Array | Uint8ClampedArray | Float32Array): ArrayBufferView<ArrayBuffer> {
  const fixed = tagOf(data.buffer) === "ArrayBuffer" && !(data.buffer as { resizable?: boolean }).resizable;
  if (data.byteLength % 4 === 0 && fixed) return data as ArrayBufferView<ArrayBuffer>;
  const words = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  words.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return words;
}

/** Lays out labels. Those of one number each are class numbers if they can be. All others are floats. */
function labelWords(y: TensorData, where: string): ColumnWords {
  const [samples, ...sample] = y.shape as [number, ...number[]];
  const { scale = 1 } = y;
  const one = elements(sample) === 1 && sample.length < 2 && scale === 1;
  const notClass = one ? firstNumber(y.data, (label) => !isClass(label)) : undefined;
  if (one && !notClass) {
    const words = Uint32Array.from(y.data);
    return { words, dtype: "u32", shape: [1], scale: undefined, largestClass: words.reduce((a, b) => Math.max(a, b)) };
  }
  const words = allocateFloats(y.data.length, where);
  for (let i = 0; i < words.length; i++) words[i] = y.data[i]! * scale;
  const bad = firstNumber(words, (value) => !Number.isFinite(value));
  if (bad) {
    const row = Math.floor((bad.at * samples) / words.length);
    throw new FeaturemapError("value", `${where}: labels must be finite, got ${bad.value} in row ${row}.`);
  }
  const negative = firstNumber(words, (value) => value < 0);
  const shape = sample.length === 0 ? [1] : sample;
  return { words, dtype: "f32", shape, scale: undefined, largestClass: undefined, notClass, negative };
}

/** Lays class numbers out as floats, for a loss that takes floats. */
export function inFloats(column: HostColumn): HostColumn {
  const { words, dtype } = column;
  if (dtype !== "u32" || !words) return column;
  return { ...column, words: Float32Array.from(words as Uint32Array), dtype: "f32", largestClass: undefined };
}

function isClass(label: number): boolean {
  return Number.isInteger(label) && label >= 0 && label <= 0xffff_ffff;
}

function firstNumber(values: ArrayLike<number>, is: (value: number) => boolean): LabelNumber | undefined {
  for (let at = 0; at < values.length; at++) if (is(values[at]!)) return { at, value: values[at]! };
  return undefined;
}

/**
 * Finds the columns for inputs or outputs of these names, in their order. A single column without a name is that of a single port.
 *
 * @throws FeaturemapError `value` if a port has no column, or a column no port
 */
export function columnsFor<C extends ColumnKind>(
  ports: readonly { readonly name: string }[],
  columns: readonly C[],
  where: string,
): C[] {
  const [only] = columns;
  if (ports.length === 1 && columns.length === 1 && only!.name === undefined) return [only!];
  const wanted = ports.map(({ name }) => name);
  const list = `{ ${wanted.join(", ")} }`;
  if (columns.length === 1 && only!.name === undefined)
    throw new FeaturemapError(
      "value",
      `${where} must have a column for each of ${list}, by name, got one without a name.`,
    );
  const spare = columns.find(({ name }) => !wanted.includes(name!));
  if (spare) throw new FeaturemapError("value", `${where} has a column "${spare.name}", the model takes ${list}.`);
  return wanted.map((name) => {
    const column = columns.find((each) => each.name === name);
    if (column) return column;
    const got = columns.map((each) => each.name).join(", ") || "none";
    throw new FeaturemapError("value", `${where} lacks the column "${name}". It has: ${got}.`);
  });
}
