import { Checksum } from "../base/checksum.ts";
import {
  assertMadeBy,
  FeaturemapError,
  finiteNumber,
  flag,
  knownKeys,
  positiveInteger,
  wholeNumber,
} from "../base/errors.ts";
import { permutation } from "../base/random.ts";
import { halfToEven } from "../base/rounding.ts";
import {
  type Column,
  type Columns,
  type DataInputs,
  type HostColumn,
  hostData,
  type LabelNumber,
} from "../data/columns.ts";
import { Dataset, identityOf, uploadColumns } from "../data/dataset.ts";
import type { OwnedBuffer } from "../gpu/buffers.ts";
import { Runtime } from "../gpu/runtime.ts";
import { type DatasetMapping, mapColumns } from "./mapping.ts";

/** Sizes of the parts of `split`. */
export interface SplitOptions {
  /** Share of the samples in the first part, between 0 and 1, or their number. A share is rounded as by Keras's `split_dataset`. */
  readonly at: number;
  /** Seed of a random order that is made first. Default: the samples stay in their order. */
  readonly seed?: number;
}

/** Options of `batch`. */
export interface BatchingOptions {
  /** Whether the last samples are left out if they are too few for a batch. Default false. */
  readonly dropRemainder?: boolean;
}

interface PartOptions extends Partial<Pick<SelectableDataset, "order" | "batchSize">> {
  readonly sources?: readonly SelectableDataset[];
}

/**
 * Data set on the GPU that parts can be taken of. A part is a data set too. It shares the columns, and only has an order of its own: a
 * number a sample, and no copy. Disposing of a part leaves the columns; disposing of the whole ends all parts.
 */
export class SelectableDataset extends Dataset {
  /** Samples a batch, if they were put into batches. */
  readonly batchSize: number | undefined;
  /** Data sets that have the columns. */
  readonly #sources: readonly SelectableDataset[];
  /** Data set whose part this is, or this one. */
  readonly #whole: SelectableDataset;
  /** Parts that have a buffer of their own. */
  readonly #parts = new Set<SelectableDataset>();
  #ordered: Promise<OwnedBuffer> | undefined;
  #gone = false;

  /** @internal Use `createDataset`. */
  constructor(
    runtime: Runtime,
    columns: Columns<Column>,
    owned: readonly OwnedBuffer[],
    identity: string,
    { sources = [], order, batchSize }: PartOptions = {},
  ) {
    super(runtime, columns, owned, identity, order);
    this.batchSize = batchSize;
    this.#sources = sources;
    this.#whole = owned.length === 0 && sources.length === 1 ? sources[0]! : this;
  }

  /** Takes the first samples: `count` of them, or all if there are not so many. */
  take(count: number): SelectableDataset {
    return this.#range(0, Math.min(positiveInteger(count, "take: count"), this.size));
  }

  /** Leaves the first samples out. @throws FeaturemapError `value` if none would be left */
  skip(count: number): SelectableDataset {
    const from = wholeNumber(count, "skip: count");
    if (from >= 0 && from < this.size) return this.#range(from, this.size);
    throw new FeaturemapError(
      "value",
      `skip: count must be below the ${this.size} samples and at least 0, got ${count}.`,
    );
  }

  /** Puts the samples into a random order, which stays. `fit` takes them in a new order each epoch by itself. */
  shuffle(options: { readonly seed?: number } = {}): SelectableDataset {
    knownKeys(options, ["seed"], "shuffle");
    const { seed = 0 } = options;
    return this.#part(permutation(this.size, wholeNumber(seed, "shuffle: seed")).map((at) => this.#row(at)));
  }

  /**
   * Divides the samples in two, such as for training and test.
   *
   * @example
   * const [train, test] = dataset.split({ at: 0.8, seed: 1 });
   * @throws FeaturemapError `value` if a part would be empty
   */
  split(options: SplitOptions): [SelectableDataset, SelectableDataset] {
    knownKeys(options, ["at", "seed"], "split");
    const { at, seed } = options;
    finiteNumber(at, "split: at", 0);
    const all = seed === undefined ? this : this.shuffle({ seed });
    const first = at < 1 ? halfToEven(at * this.size) : wholeNumber(at, "split: at");
    if (first > 0 && first < this.size) return [all.#range(0, first), all.#range(first, this.size)];
    throw new FeaturemapError("value", `split: at ${at} leaves a part of ${this.size} samples empty.`);
  }

  /** Repeats all samples, one time after the other. */
  repeat(times: number): SelectableDataset {
    positiveInteger(times, "repeat: times");
    if (this.size * times >= 2 ** 31)
      throw new FeaturemapError("limit", `repeat: ${times} times ${this.size} samples are 2^31 or more.`);
    return this.#part(this.#places(this.size * times, (at) => at % this.size));
  }

  /**
   * Puts parts of one data set after each other, such as all folds but one.
   *
   * @throws FeaturemapError `value` for data sets that do not share their columns: make one of all arrays
   */
  concat(...others: readonly SelectableDataset[]): SelectableDataset {
    const all = [this, ...others];
    for (const other of others) {
      assertOne(other, "concat");
      other.#assertUnbatched();
      const same = other.columns.length === this.columns.length;
      if (same && other.columns.every(({ buffer }, i) => buffer === this.columns[i]!.buffer)) continue;
      const remedy = "Make one data set of all arrays, with createDataset(), and take parts of it";
      throw new FeaturemapError("value", `concat: the data sets have different columns. ${remedy}.`);
    }
    const rows = all.flatMap((each) => [...each.#places(each.size, (at) => at)]);
    return this.#part(Uint32Array.from(rows));
  }

  /**
   * Puts the columns of several data sets beside each other, by name. A sample has the same place in each.
   *
   * @throws FeaturemapError `value` unless sizes and orders agree, and each role's columns have names of their own
   */
  zip(...others: readonly SelectableDataset[]): SelectableDataset {
    const all = [this, ...others];
    this.#assertUnbatched();
    for (const other of others) {
      assertOne(other, "zip");
      other.#assertUnbatched();
      if (other.runtime !== this.runtime)
        throw new FeaturemapError("state", "zip: the data sets are on different runtimes.");
      if (other.rows !== this.rows || !sameOrder(other.order, this.order)) {
        const sizes = `${this.size} of ${this.rows} and ${other.size} of ${other.rows}`;
        throw new FeaturemapError(
          "value",
          `zip: the samples must be in the same order, got ${sizes}. zip() before parts.`,
        );
      }
    }
    const columns = all.flatMap((each) => each.columns);
    columns.forEach(({ role, name }, i) => {
      const twice = columns.some(
        (each, j) => each.role === role && j < i && (each.name === name || !each.name || !name),
      );
      if (twice) throw new FeaturemapError("value", `zip: ${role} columns need a name each, such as { x: { image } }.`);
    });
    const identity = all.map((each) => each.identity).join(" beside ");
    const options = { sources: all, order: this.order };
    return new SelectableDataset(this.runtime, { size: this.rows, columns }, [], identity, options);
  }

  /**
   * Changes columns on the GPU: Keras's and `tf.data`'s `map`. A column goes through an expression, a function, a layer, layers in a row or
   * a compiled model, as in `predict`. What comes out is computed once, now, for all rows of the columns, also those outside of this part.
   * It stays on the GPU, as floats. Other columns are shared, and so is the order. Nothing is read back.
   *
   * @throws FeaturemapError `value` for a mapping that is none, or a column that is not there; `shape` where a column does not suit it;
   *   `state` where the data set or the model is disposed, or the model not compiled or on another runtime; `limit` where the GPU has no room
   * @example
   * const scaled = await dataset.map({ x: ["divide", "x", 255] });
   * const features = await images.map({ x: backbone }); // what a compiled model makes of them
   */
  async map(mapping: DatasetMapping): Promise<SelectableDataset> {
    this.assertLive();
    const { columns, owned, identity } = await mapColumns(this, mapping);
    const { runtime, rows: size, order, batchSize } = this;
    const shared = columns.some((column) => this.columns.includes(column));
    return new SelectableDataset(runtime, { size, columns }, owned, `${this.identity}, ${identity}`, {
      sources: shared ? [this.#whole] : [],
      order,
      batchSize,
    });
  }

  /**
   * Says how many samples are a batch: `tf.data`'s `batch`. `fit`, `evaluate` and `predict` take that many a step, and refuse another
   * `batchSize`. It comes last: what is in batches is not divided any further. `fit` still puts samples into a new order each epoch, unless
   * `shuffle` is false.
   *
   * @throws FeaturemapError `value` where `dropRemainder` leaves no sample; `state` where the samples are in batches already
   * @example
   * const train = dataset.shuffle({ seed: 1 }).take(1000).batch(32, { dropRemainder: true });
   */
  batch(size: number, options: BatchingOptions = {}): SelectableDataset {
    knownKeys(options, ["dropRemainder"], "batch");
    const batchSize = positiveInteger(size, "batch: size");
    const drop = flag(options.dropRemainder ?? false, "batch: dropRemainder");
    const count = drop ? Math.floor(this.size / batchSize) * batchSize : this.size;
    if (count === 0)
      throw new FeaturemapError("value", `batch: of ${this.size} samples no batch of ${batchSize} can be made.`);
    if (count < this.size)
      return this.#part(
        this.#places(count, (at) => at),
        batchSize,
      );
    this.#assertUnbatched();
    this.assertLive();
    const { runtime, rows, columns, identity, order } = this;
    return new SelectableDataset(runtime, { size: rows, columns }, [], identity, {
      sources: [this.#whole],
      order,
      batchSize,
    });
  }

  /** @internal */
  override sized<O extends { readonly batchSize?: number }>(options: O, where: string): O {
    const { batchSize } = this;
    if (batchSize === undefined) return options;
    const given = options.batchSize ?? batchSize;
    if (given === batchSize) return { ...options, batchSize };
    const message = `${where}: batchSize is ${batchSize}, that of the data set's batch(), got ${given}`;
    throw new FeaturemapError("value", `${message}. Leave it out.`);
  }

  /** @throws FeaturemapError `state` where the data set, or one that has its columns, was disposed */
  override assertLive(): void {
    super.assertLive();
    for (const source of this.#sources) source.assertLive();
  }

  /** @internal */
  override async ordered(): Promise<GPUBuffer> {
    this.assertLive();
    this.#ordered ??= this.#upload(this.order!);
    const { buffer } = await this.#ordered;
    return buffer;
  }

  /** Frees the GPU buffers: of a part only its order. A call that is still reading them fails. */
  override dispose(): void {
    super.dispose();
    this.#gone = true;
    for (const source of this.#sources) source.#parts.delete(this);
    for (const part of this.#parts) part.dispose();
    this.#ordered?.then(({ release }) => release()).catch(() => {});
  }

  async #upload(order: Uint32Array<ArrayBuffer>): Promise<OwnedBuffer> {
    const { buffers, device } = this.runtime;
    const [owned] = await buffers.create([{ label: "order of samples", bytes: order.byteLength }], ([buffer]) =>
      device.queue.writeBuffer(buffer!, 0, order),
    );
    if (this.#gone) owned!.release();
    else for (const source of this.#sources) source.#parts.add(this);
    return owned!;
  }

  #range(from: number, to: number): SelectableDataset {
    return this.#part(this.#places(to - from, (at) => from + at));
  }

  /** Gives rows in the columns for places in this data set. */
  #places(count: number, placeOf: (at: number) => number): Uint32Array<ArrayBuffer> {
    return Uint32Array.from({ length: count }, (_, at) => this.#row(placeOf(at)));
  }

  #row(at: number): number {
    return this.order ? this.order[at]! : at;
  }

  #part(order: Uint32Array<ArrayBuffer>, batchSize?: number): SelectableDataset {
    this.#assertUnbatched();
    this.assertLive();
    const { runtime, rows: size, columns } = this;
    const whole = this.#whole;
    const identity = `${whole.identity}, ${order.length} in an order of checksum ${new Checksum().add(order)}`;
    return new SelectableDataset(runtime, { size, columns }, [], identity, { sources: [whole], order, batchSize });
  }

  #assertUnbatched(): void {
    if (this.batchSize === undefined) return;
    const why = "take, skip, shuffle, split, repeat, concat and zip come before batch()";
    throw new FeaturemapError("state", `The samples are in batches of ${this.batchSize}: ${why}.`);
  }
}

function assertOne(data: unknown, where: string): void {
  assertMadeBy(data instanceof SelectableDataset, data, where, "createDataset()");
}

function sameOrder(a: Uint32Array | undefined, b: Uint32Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((row, i) => row === b[i]));
}

/**
 * Uploads samples, labels and weights once, for any number of calls of `fit`, `evaluate` and `predict`. See `hostData` for types. Models
 * of several inputs or outputs take columns by name. A column may be a buffer of the app's, which stays the app's.
 *
 * @throws FeaturemapError as `hostData` does; `limit` where the GPU has no room
 * @example
 * const dataset = await createDataset(runtime, { x: { image, place }, y: { digit, parity } });
 * const [train, test] = dataset.split({ at: 0.8, seed: 1 });
 */
export async function createDataset(runtime: Runtime, input: DataInputs): Promise<SelectableDataset> {
  const where = "createDataset(runtime, { x, y })";
  assertMadeBy(runtime instanceof Runtime, runtime, `${where}: runtime`, "await createRuntime()");
  knownKeys(input, ["x", "y", "sampleWeight"], where);
  const data = hostData(input);
  const identity = identityOf(data);
  const distinct = data.columns.map(distinctOf);
  const { columns, owned } = await uploadColumns(runtime, data);
  const known = columns.map((column, i) => ({ ...column, distinct: distinct[i] }));
  return new SelectableDataset(runtime, { size: data.size, columns: known }, owned, identity);
}

/** Most numbers that `distinct` has. */
const MOST_DISTINCT = 2 ** 16;

/** Gives each number among labels, for losses that take class numbers. Their words leave the host. */
function distinctOf({ role, words }: HostColumn): readonly LabelNumber[] | undefined {
  if (role !== "label" || !words) return undefined;
  const numbers = words as Float32Array | Uint32Array;
  const places = new Map<number, number>();
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at]!;
    if (value !== numbers[at - 1] && !places.has(value)) places.set(value, at);
    if (places.size > MOST_DISTINCT) return undefined;
  }
  return Array.from(places, ([value, at]) => ({ at, value }));
}
