import { arrayType, floats, holdsBytes } from "../base/arrays.ts";
import { Checksum } from "../base/checksum.ts";
import { FeaturemapError, knownKeys, madeBy, tagOf } from "../base/errors.ts";
import { type Shape, showShape } from "../base/shape.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { Runtime } from "../gpu/runtime.ts";
import type { DType } from "../graph/graph.ts";
import { type DataInput, type TensorData, toTensor } from "./tensor.ts";

/** One side of a data set, samples or labels, on the GPU. */
export interface Column {
  /** Shape of one sample or label. */
  readonly shape: Shape;
  readonly dtype: DType;
  readonly scale: number | undefined;
  readonly buffer: GPUBuffer;
}

/** Labels as they lie on the GPU, and what was learned of them on the way. */
export interface LabelColumn extends Column {
  /** The largest class number, where labels are class numbers. */
  readonly largestClass: number | undefined;
}

/** Samples, and labels if there are any, on the GPU: uploaded once, used by any number of calls. */
export class Dataset {
  readonly runtime: Runtime;
  /** Number of samples. */
  readonly size: number;
  readonly x: Column;
  readonly y: LabelColumn | undefined;
  /** On the GPU, samples and labels together. */
  readonly bytes: number;
  /** @internal See `identityOf`. */
  readonly identity: string;
  readonly #owned: readonly OwnedBuffer[];
  #disposed = false;

  /** @internal Use `createDataset`. */
  constructor(
    runtime: Runtime,
    size: number,
    x: Column,
    y: LabelColumn | undefined,
    owned: readonly OwnedBuffer[],
    identity: string,
  ) {
    this.runtime = runtime;
    this.size = size;
    this.x = x;
    this.y = y;
    this.#owned = owned;
    this.identity = identity;
    this.bytes = owned.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get [Symbol.toStringTag](): string {
    return "Dataset";
  }

  /** @throws FeaturemapError `state` where the data set was disposed */
  assertLive(): void {
    if (this.#disposed)
      throw new FeaturemapError("state", "The data set was disposed. Make a new one with createDataset().");
  }

  /** Frees the GPU buffers. A call that is still reading them fails. */
  dispose(): void {
    this.#disposed = true;
    for (const owned of this.#owned) owned.release();
  }
}

/**
 * Whether something is a data set.
 *
 * @throws FeaturemapError `value` for one that another copy of the library made, whose buffers ours knows nothing of
 */
export function isDataset(data: unknown): data is Dataset {
  if (data instanceof Dataset) return true;
  if (tagOf(data) !== "Dataset") return false;
  throw new FeaturemapError("value", "The data set is of another copy of featuremap. Let the page load one copy only.");
}

/** What `createDataset` uploads, checked: everything that is known of data before the GPU sees it. */
export interface HostData {
  readonly size: number;
  readonly x: Omit<Column, "buffer"> & Words;
  readonly y: (Omit<LabelColumn, "buffer"> & Words) | undefined;
}

interface Words {
  readonly words: ArrayBufferView<ArrayBuffer>;
}

/**
 * Checks samples and labels and lays them out as they will lie on the GPU. Bytes (`Uint8Array`) stay bytes, four to a word;
 * every other type becomes 32-bit floats. Labels are rows of weights [n, classes], kept as they are, or class numbers [n]
 * or [n, 1].
 *
 * @throws FeaturemapError `shape` where x and y have different numbers of samples; `value` where a label is negative,
 *   fractional or not finite
 */
export function hostData(input: { readonly x: DataInput; readonly y?: DataInput | undefined }): HostData {
  const { x: samples, y: labels } = input;
  const x = toTensor(samples, "x");
  const y = labels === undefined ? undefined : toTensor(labels, "y");
  const size = x.shape[0]!;
  if (y && y.shape[0] !== size) {
    const shapes = `shapes ${showShape(x.shape)} and ${showShape(y.shape)}`;
    throw new FeaturemapError("shape", `x has ${size} samples, but y has ${y.shape[0]}: ${shapes}.`);
  }
  return {
    size,
    x: { shape: x.shape.slice(1), scale: x.scale, ...sampleWords(x) },
    y: y && { scale: undefined, ...labelWords(y) },
  };
}

/**
 * Uploads samples and labels once, for any number of calls of `fit`, `evaluate` and `predict`. See `hostData` for types.
 *
 * @throws FeaturemapError as `hostData` does; `limit` where the GPU has no room
 */
export async function createDataset(
  runtime: Runtime,
  input: { readonly x: DataInput; readonly y?: DataInput },
): Promise<Dataset> {
  const where = "createDataset(runtime, { x, y })";
  madeBy(runtime instanceof Runtime, runtime, `${where}: runtime`, "await createRuntime()");
  knownKeys(input, ["x", "y"], where);
  const data = hostData(input);
  return upload(runtime, data, identityOf(data));
}

/**
 * What tells data from other data: number, shapes, types and scale in words, and a checksum of all numbers. A million bytes take
 * about a millisecond.
 */
export function identityOf(data: HostData | Dataset): string {
  if (data instanceof Dataset) return data.identity;
  const { size, x, y } = data;
  const checksum = new Checksum().add(x.words);
  if (y) checksum.add(y.words);
  const kind = ({ shape, dtype }: Pick<Column, "shape" | "dtype">) => `${dtype} ${showShape(shape)}`;
  const labels = y ? `, labels ${kind(y)}` : "";
  return `${size} samples ${kind(x)} * ${x.scale ?? 1}${labels}, checksum ${checksum}`;
}

/** Puts checked data on the GPU. All of it is written before the promise is returned. */
export async function upload(runtime: Runtime, { size, x, y }: HostData, identity = ""): Promise<Dataset> {
  const columns = [x, ...(y ? [y] : [])];
  const owned = await runtime.buffers.create(
    columns.map(({ words }, i) => ({ label: i === 0 ? "samples" : "labels", bytes: words.byteLength })),
    (buffers) => {
      columns.forEach(({ words }, i) => {
        runtime.device.queue.writeBuffer(buffers[i]!, 0, words);
      });
    },
  );
  const samples = { shape: x.shape, dtype: x.dtype, scale: x.scale, buffer: owned[0]!.buffer };
  const labels = y && {
    shape: y.shape,
    dtype: y.dtype,
    scale: y.scale,
    largestClass: y.largestClass,
    buffer: owned[1]!.buffer,
  };
  return new Dataset(runtime, size, samples, labels, owned, identity);
}

function sampleWords({ data }: TensorData): { words: ArrayBufferView<ArrayBuffer>; dtype: DType } {
  if (holdsBytes(data)) return { words: wholeWords(data), dtype: "u8" };
  if (arrayType(data) === "Float32Array") return { words: wholeWords(data as Float32Array), dtype: "f32" };
  const words = floats(data.length, "x");
  words.set(data);
  return { words, dtype: "f32" };
}

/** The array itself, or a copy that `writeBuffer` takes: of whole words, in memory that is neither shared nor resizable. */
function wholeWords(data: Uint8Array | Uint8ClampedArray | Float32Array): ArrayBufferView<ArrayBuffer> {
  const fixed = tagOf(data.buffer) === "ArrayBuffer" && !(data.buffer as { resizable?: boolean }).resizable;
  if (data.byteLength % 4 === 0 && fixed) return data as ArrayBufferView<ArrayBuffer>;
  const words = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
  words.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return words;
}

/** Labels with more than one number each are rows of weights; labels of one number are classes. */
function labelWords(y: TensorData) {
  const perSample = y.data.length / y.shape[0]!;
  if (y.shape.length > 2) {
    throw new FeaturemapError(
      "shape",
      `y must be [samples, classes], [samples] or [samples, 1], got ${showShape(y.shape)}.`,
    );
  }
  if (perSample === 1) {
    const words = new Uint32Array(y.data.length);
    let largestClass = 0;
    for (let i = 0; i < words.length; i++) {
      const label = y.data[i]!;
      if (!Number.isInteger(label) || label < 0 || label > 0xffff_ffff) {
        throw new FeaturemapError(
          "value",
          `y: label ${i} must be a class number, a whole number of at least 0, got ${label}.`,
        );
      }
      words[i] = label;
      largestClass = Math.max(largestClass, label);
    }
    return { words, dtype: "u32" as const, shape: [1], largestClass };
  }
  const { scale = 1 } = y;
  const words = floats(y.data.length, "y");
  for (let i = 0; i < words.length; i++) words[i] = y.data[i]! * scale;
  const bad = words.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY));
  if (bad >= 0) {
    const where = `row ${Math.floor(bad / perSample)}, class ${bad % perSample}`;
    throw new FeaturemapError(
      "value",
      `y: a label's weights must be finite and at least 0, got ${words[bad]} in ${where}.`,
    );
  }
  return { words, dtype: "f32" as const, shape: [perSample], largestClass: undefined };
}
