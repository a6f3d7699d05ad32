import { Checksum } from "../base/checksum.ts";
import { assertMadeBy, FeaturemapError, knownKeys, tagOf } from "../base/errors.ts";
import { showShape } from "../base/shape.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { Runtime } from "../gpu/runtime.ts";
import {
  type Column,
  type ColumnKind,
  type Columns,
  columnsOf,
  type DataInputs,
  type HostData,
  hostData,
  ROLE_WORDS,
} from "./columns.ts";

/** Data set on the GPU: samples, and labels and weights if there are any. It is uploaded once and used by any number of calls. */
export class Dataset implements Columns<Column> {
  readonly runtime: Runtime;
  /** Number of samples. */
  readonly size: number;
  readonly columns: readonly Column[];
  /** Bytes of all columns on the GPU, without buffers of the app's. */
  readonly bytes: number;
  /** @internal See `identityOf`. */
  readonly identity: string;
  readonly #owned: readonly OwnedBuffer[];
  #disposed = false;

  /** @internal Use `createDataset`. */
  constructor(runtime: Runtime, { size, columns }: Columns<Column>, owned: readonly OwnedBuffer[], identity: string) {
    this.runtime = runtime;
    this.size = size;
    this.columns = columns;
    this.#owned = owned;
    this.identity = identity;
    this.bytes = owned.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Rows of each column. */
  get rows(): number {
    return this.size;
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
 * Uploads samples, labels and weights once, for any number of calls of `fit`, `evaluate` and `predict`. See `hostData` for types. Models
 * of several inputs or outputs take columns by name. A column may be a buffer of the app's, which stays the app's.
 *
 * @throws FeaturemapError as `hostData` does; `limit` where the GPU has no room
 * @example
 * const dataset = await createDataset(runtime, { x: { image, place }, y: { digit, parity } });
 */
export async function createDataset(runtime: Runtime, input: DataInputs): Promise<Dataset> {
  const where = "createDataset(runtime, { x, y })";
  assertMadeBy(runtime instanceof Runtime, runtime, `${where}: runtime`, "await createRuntime()");
  knownKeys(input, ["x", "y", "sampleWeight"], where);
  const data = hostData(input);
  return upload(runtime, data, identityOf(data));
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
export async function upload(runtime: Runtime, data: HostData, identity = ""): Promise<Dataset> {
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
  return new Dataset(runtime, { size: data.size, columns }, owned, identity);
}
