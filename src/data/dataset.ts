import { FeaturemapError } from "../errors.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { DType } from "../graph/graph.ts";
import { type Shape, showShape } from "../shape.ts";
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
  readonly #owned: readonly OwnedBuffer[];
  #disposed = false;

  /** @internal Use `createDataset`. */
  constructor(runtime: Runtime, size: number, x: Column, y: LabelColumn | undefined, owned: readonly OwnedBuffer[]) {
    this.runtime = runtime;
    this.size = size;
    this.x = x;
    this.y = y;
    this.#owned = owned;
    this.bytes = owned.reduce((sum, { bytes }) => sum + bytes, 0);
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
  const x = toTensor(input.x, "x");
  const y = input.y === undefined ? undefined : toTensor(input.y, "y");
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
  return upload(runtime, hostData(input));
}

/** Puts checked data on the GPU. */
export async function upload(runtime: Runtime, { size, x, y }: HostData): Promise<Dataset> {
  runtime.assertLive();
  const columns = [x, ...(y ? [y] : [])];
  const owned = await runtime.buffers.create(
    columns.map(({ words }, i) => ({ label: i === 0 ? "samples" : "labels", bytes: words.byteLength })),
  );
  runtime.assertLive();
  columns.forEach(({ words }, i) => {
    runtime.device.queue.writeBuffer(owned[i]!.buffer, 0, words);
  });
  const samples = { shape: x.shape, dtype: x.dtype, scale: x.scale, buffer: owned[0]!.buffer };
  const labels = y && {
    shape: y.shape,
    dtype: y.dtype,
    scale: y.scale,
    largestClass: y.largestClass,
    buffer: owned[1]!.buffer,
  };
  return new Dataset(runtime, size, samples, labels, owned);
}

function sampleWords({ data }: TensorData): { words: ArrayBufferView<ArrayBuffer>; dtype: DType } {
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return { words: wholeWords(data), dtype: "u8" };
  return { words: data instanceof Float32Array ? wholeWords(data) : Float32Array.from(data), dtype: "f32" };
}

/** The array itself, or a copy that `writeBuffer` takes: of whole words, in memory that is neither shared nor resizable. */
function wholeWords(data: Uint8Array | Uint8ClampedArray | Float32Array): ArrayBufferView<ArrayBuffer> {
  const fixed = data.buffer instanceof ArrayBuffer && !(data.buffer as { resizable?: boolean }).resizable;
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
  const words = Float32Array.from(y.data, (weight) => weight * scale);
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
