import { allocateFloats, arrayType, holdsBytes } from "../base/arrays.ts";
import { FeaturemapError, tagOf, wrong } from "../base/errors.ts";
import { elements, type Shape, showShape } from "../base/shape.ts";
import type { DType } from "../graph/tensor.ts";
import { type ColumnInput, type DataInput, isGpuData, type TensorData, toGpuData, toTensor } from "./tensor.ts";

/** Role of a column: samples of a model's input, labels of an output, or the weights of samples in an output's loss. */
export type ColumnRole = "input" | "label" | "weight";

/** Words for the columns of a role, in messages and labels. */
export const ROLE_WORDS: Readonly<Record<ColumnRole, string>> = {
  input: "samples",
  label: "labels",
  weight: "weights",
};

/** Kind of a column of a data set. A column has as many numbers for each sample, under a name. */
export interface ColumnKind {
  readonly role: ColumnRole;
  /** Name; `undefined` if the data came without one, as the only column of its role. */
  readonly name: string | undefined;
  /** Shape of one sample or label. A weight's is []. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** Factor of its numbers on the GPU. */
  readonly scale: number | undefined;
  /** Largest class number, if labels are class numbers that the host has seen. */
  readonly largestClass: number | undefined;
  /** First label that is no class number, if there is one number a sample and the host has seen them. */
  readonly notClass?: LabelNumber | undefined;
  /** Each number among the labels of a data set, at its first place; `undefined` where they are not known, or too many. */
  readonly distinct?: readonly LabelNumber[] | undefined;
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

/** Columns of one length. Those of one role stand together: inputs, labels, weights. */
export interface Columns<C extends ColumnKind = ColumnKind> {
  /** Number of samples. */
  readonly size: number;
  readonly columns: readonly C[];
}

/** Gives the columns of a role. */
export function columnsOf<C extends ColumnKind>({ columns }: Pick<Columns<C>, "columns">, role: ColumnRole): C[] {
  return columns.filter((column) => column.role === role);
}

/** Checked data before their upload. */
export class HostData implements Columns<HostColumn> {
  readonly size: number;
  readonly columns: readonly HostColumn[];

  constructor({ size, columns }: Columns<HostColumn>) {
    this.size = size;
    this.columns = columns;
  }
}

/** Samples with labels and weights, if there are any. */
export interface DataInputs {
  readonly x: ColumnInputs;
  readonly y?: ColumnInputs | undefined;
  /** Factor of each sample's loss, [samples]. By name, each is of one output. Without a name, it is of all. */
  readonly sampleWeight?: ColumnInputs | undefined;
}

/** Data of one column, or of several by name. */
export type ColumnInputs = ColumnInput | Readonly<Record<string, ColumnInput>>;

/**
 * Checks samples, labels and weights and lays them out for the GPU. Samples of bytes (`Uint8Array`) stay bytes, four to a word. Other
 * types become 32-bit floats. Labels of one number a sample, [n] or [n, 1], are class numbers if all of them are whole and at least 0.
 * Other labels are floats of any shape. Losses say whether labels suit a model. Weights are a float a sample.
 *
 * @throws FeaturemapError `shape` where columns have different numbers of samples; `value` where a label or a weight is not finite
 */
export function hostData({ x, y, sampleWeight }: DataInputs): HostData {
  const given = [
    { role: "input", data: x, where: "x" },
    { role: "label", data: y, where: "y" },
    { role: "weight", data: sampleWeight, where: "sampleWeight" },
  ] as const;
  const all = given.flatMap(({ role, data, where }) =>
    data === undefined && role !== "input"
      ? []
      : named(data as ColumnInputs, where).map(([name, each, at]) => columnOf(role, name, each, at)),
  );
  const [first, ...others] = all;
  const { rows: size } = first!;
  const other = others.find(({ rows }) => rows !== size);
  if (other) {
    const shapes = [first!, other].map(({ given }) => showShape(given)).join(" and ");
    const message = `${first!.where} has ${size} samples, but ${other.where} has ${other.rows}: shapes ${shapes}`;
    const flat = first!.given.length === 1 ? " Give flat numbers their shape: tensor(data, [samples, ...sample])." : "";
    throw new FeaturemapError("shape", `${message}.${flat}`);
  }
  return new HostData({ size, columns: all.map(({ column }) => column) });
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

/** Types of numbers that a column in a buffer of the app's may have. */
const BUFFER_DTYPES = { input: ["f32", "u8"], label: ["f32", "u32"], weight: ["f32"] } as const;

function columnOf(
  role: ColumnRole,
  name: string | undefined,
  data: ColumnInput,
  where: string,
): { readonly rows: number; readonly given: Shape; readonly where: string; readonly column: HostColumn } {
  if (isGpuData(data)) {
    const { buffer, dtype, scale, shape } = toGpuData(data, where, BUFFER_DTYPES[role]);
    if (dtype === "u32" && elements(shape) !== shape[0]) {
      const got = `[samples] or [samples, 1], got ${showShape(shape)}`;
      throw new FeaturemapError("shape", `${where}: class numbers must be ${got}.`);
    }
    if (role !== "input" && scale !== undefined)
      throw wrong(`${where}: scale`, `be left out, of ${role}s in a buffer`, scale);
    const [rows, ...sample] = shape as [number, ...number[]];
    if (role === "weight") assertWeights(shape, where);
    const one = sample.length === 0 ? [1] : sample;
    const kind = { role, name, dtype, scale, largestClass: undefined, shape: role === "weight" ? [] : one };
    return { rows, given: shape, where, column: { ...kind, words: undefined, buffer } };
  }
  const tensor = toTensor(data as DataInput, where);
  const [rows, ...sample] = tensor.shape as [number, ...number[]];
  const kind = { role, name, shape: sample, scale: tensor.scale, buffer: undefined };
  const words = WORDS[role](tensor, where);
  return { rows, given: tensor.shape, where, column: { ...kind, ...words } };
}

const WORDS = { input: sampleWords, label: labelWords, weight: weightWords };

function sampleWords({ data }: TensorData, where: string): ColumnWords {
  const kind = { largestClass: undefined } as const;
  if (holdsBytes(data)) return { ...kind, words: wholeWords(data), dtype: "u8" };
  if (arrayType(data) === "Float32Array") return { ...kind, words: wholeWords(data as Float32Array), dtype: "f32" };
  const words = allocateFloats(data.length, where);
  words.set(data);
  return { ...kind, words, dtype: "f32" };
}

/** Gives an array that `writeBuffer` takes: of whole words, in memory that is neither shared nor resizable. It copies only if it must. */
export function wholeWords(data: Uint8Array | Uint8ClampedArray | Float32Array): ArrayBufferView<ArrayBuffer> {
  const fixed = tagOf(data.buffer) === "ArrayBuffer" && !(data.buffer as { resizable?: boolean }).resizable;
  if (data.byteLength % 4 === 0 && fixed) return data as ArrayBufferView<ArrayBuffer>;
  const words = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  words.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return words;
}

/** Lays out labels. Those of one number each are class numbers if they can be. All others are floats. */
function labelWords(y: TensorData, where: string): ColumnWords {
  const sample = y.shape.slice(1);
  const { scale = 1 } = y;
  const one = elements(sample) === 1 && sample.length < 2 && scale === 1;
  const notClass = one ? firstNumber(y.data, (label) => !isClass(label)) : undefined;
  if (one && !notClass) {
    const words = Uint32Array.from(y.data);
    return { words, dtype: "u32", shape: [1], scale: undefined, largestClass: words.reduce((a, b) => Math.max(a, b)) };
  }
  const words = finiteFloats(y, where, "labels");
  const negative = firstNumber(words, (value) => value < 0);
  const shape = sample.length === 0 ? [1] : sample;
  return { words, dtype: "f32", shape, scale: undefined, largestClass: undefined, notClass, negative };
}

/** Lays out weights: a finite float for each sample. */
function weightWords(weights: TensorData, where: string): ColumnWords {
  assertWeights(weights.shape, where);
  const words = finiteFloats(weights, where, "weights");
  return { words, dtype: "f32", shape: [], scale: undefined, largestClass: undefined };
}

function assertWeights(shape: Shape, where: string): void {
  if (elements(shape) === shape[0] && shape.length < 3) return;
  const got = `[samples] or [samples, 1], a number a sample, got ${showShape(shape)}`;
  throw new FeaturemapError("shape", `${where}: weights must be ${got}. Weights of steps or pixels are not taken.`);
}

function finiteFloats({ data, shape, scale = 1 }: TensorData, where: string, what: string): Float32Array<ArrayBuffer> {
  const words = allocateFloats(data.length, where);
  for (let i = 0; i < words.length; i++) words[i] = data[i]! * scale;
  const bad = firstNumber(words, (value) => !Number.isFinite(value));
  if (!bad) return words;
  const row = Math.floor((bad.at * shape[0]!) / words.length);
  throw new FeaturemapError("value", `${where}: ${what} must be finite, got ${bad.value} in row ${row}.`);
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
