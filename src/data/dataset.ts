import { Checksum } from "../base/checksum.ts";
import { FeaturemapError, tagOf } from "../base/errors.ts";
import { showShape } from "../base/shape.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { type Column, type ColumnKind, type Columns, columnsOf, type HostData, ROLE_WORDS } from "./columns.ts";

/** Data set on the GPU: samples, and labels and weights if there are any. It is uploaded once and used by any number of calls. */
export class Dataset implements Columns<Column> {
  readonly runtime: Runtime;
  /** Number of samples. */
  readonly size: number;
  /** Rows of each column. */
  readonly rows: number;
  /** Row of each sample in the columns. Default: as they lie. */
  readonly order: Uint32Array<ArrayBuffer> | undefined;
  readonly columns: readonly Column[];
  /** Bytes of all columns on the GPU, without buffers of the app's. */
  readonly bytes: number;
  /** @internal See `identityOf`. */
  readonly identity: string;
  readonly #owned: readonly OwnedBuffer[];
  #disposed = false;

  /** @internal Use `createDataset`. */
  constructor(
    runtime: Runtime,
    { size, columns }: Columns<Column>,
    owned: readonly OwnedBuffer[],
    identity: string,
    order?: Uint32Array<ArrayBuffer>,
  ) {
    this.runtime = runtime;
    this.rows = size;
    this.size = order ? order.length : size;
    this.order = order;
    this.columns = columns;
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

  /** @internal Gives options with the size of batches, if the samples were put into batches. */
  sized?<O extends { readonly batchSize?: number }>(options: O, where: string): O;

  /** @internal Gives the order in a buffer, if there is an order. */
  ordered?(): Promise<GPUBuffer>;

  /** Frees the GPU buffers. A call that is still reading them fails. */
  dispose(): void {
    this.#disposed = true;
    for (const owned of this.#owned) owned.release();
  }
}

/**
 * Tells whether something is a data set.
 *
 * @throws FeaturemapError `value` for a data set of another copy of the library: this one does not know its buffers
 */
export function isDataset(data: unknown): data is Dataset {
  if (data instanceof Dataset) return true;
  if (tagOf(data) !== "Dataset") return false;
  throw new FeaturemapError("value", "The data set is of another copy of featuremap. Let the page load one copy only.");
}

/**
 * Gives the identity of data: number, shapes, types and scales in words, and a checksum of all numbers. A million bytes take about a
 * millisecond. Numbers in a buffer of the app's are not read.
 */
export function identityOf(data: HostData | Dataset): string {
  if (data instanceof Dataset) return data.identity;
  const checksum = new Checksum();
  for (const { words } of data.columns) if (words) checksum.add(words);
  const kind = ({ name, shape, dtype }: ColumnKind) =>
    `${name === undefined ? "" : `${name} `}${dtype} ${showShape(shape)}`;
  const scaled = columnsOf(data, "input").map((column) => `${kind(column)} * ${column.scale ?? 1}`);
  const others = (["label", "weight"] as const).map((role) => {
    const kinds = columnsOf(data, role).map(kind);
    return kinds.length > 0 ? `, ${ROLE_WORDS[role]} ${kinds.join(", ")}` : "";
  });
  return `${data.size} samples ${scaled.join(", ")}${others.join("")}, checksum ${checksum}`;
}

/** Puts checked data on the GPU. All of it is written before the promise is returned. */
export async function upload(runtime: Runtime, data: HostData): Promise<Dataset> {
  const { columns, owned } = await uploadColumns(runtime, data);
  return new Dataset(runtime, { size: data.size, columns }, owned, "");
}

/** Puts checked columns into buffers. Those in buffers of the app's stay there. */
export async function uploadColumns(
  runtime: Runtime,
  data: HostData,
): Promise<{ readonly columns: readonly Column[]; readonly owned: readonly OwnedBuffer[] }> {
  const own = data.columns.flatMap(({ words }) => words ?? []);
  const labels = data.columns.flatMap(({ words, role, name }) =>
    words ? [name === undefined ? ROLE_WORDS[role] : `${ROLE_WORDS[role]} ${name}`] : [],
  );
  const owned = await runtime.buffers.create(
    own.map((words, i) => ({ label: labels[i]!, bytes: words.byteLength })),
    (buffers) => {
      own.forEach((words, i) => {
        runtime.device.queue.writeBuffer(buffers[i]!, 0, words);
      });
    },
  );
  const rest = [...owned];
  const columns = data.columns.map((column): Column => {
    const { words: _, buffer, ...kind } = column;
    return { ...kind, buffer: buffer ?? rest.shift()!.buffer };
  });
  return { columns, owned };
}
