import { FeaturemapError, knownKeys, tagOf, wrong } from "../base/errors.ts";
import type { ColumnInputs, DataInputs } from "./columns.ts";
import type { TensorData, TypedArray } from "./tensor.ts";

/** Batch of a stream: samples, labels and weights in a list or by name. One without labels may be its samples alone. */
export type StreamBatch =
  | readonly [x: ColumnInputs, y?: ColumnInputs, sampleWeight?: ColumnInputs]
  | DataInputs
  | TensorData
  | TypedArray;

/** What gives batches one after the other, such as a generator. */
export type Batches =
  | AsyncIterable<StreamBatch>
  | Iterable<StreamBatch>
  | AsyncIterator<StreamBatch>
  | Iterator<StreamBatch>;

/** Source of a stream: batches, or a function that makes them anew for each pass. */
export type StreamSource = Batches | (() => Batches | Promise<Batches>);

/** @throws FeaturemapError `value` for something that gives no batches, such as an array of them, which is data itself */
export function assertSource(source: unknown, where: string): asserts source is StreamSource {
  if (typeof source === "function" || methodsOf(source)) return;
  throw wrong(where, "be a generator, an iterable, or a function that makes one", source);
}

/** Pass over a stream's batches. */
interface Pass {
  readonly iterator: Iterator<unknown> | AsyncIterator<unknown>;
  /** Whether the reader has opened it, and so closes it. */
  readonly own: boolean;
}

/** Reads batches, pass by pass. It asks for one only when the one before has been used, and closes what it has opened. */
export class BatchReader {
  readonly #source: StreamSource;
  readonly #where: string;
  #open: Pass | undefined;
  /** Batches of this pass. */
  #count = 0;
  #exhausted = false;
  /** Batch that was put back. */
  #first: DataInputs | undefined;
  #left = false;
  /** Ends the wait for the batch that was asked for. */
  #leave = () => {};

  constructor(source: StreamSource, where: string) {
    this.#source = source;
    this.#where = where;
  }

  /** Waits for no batch from now on. */
  leave(): void {
    this.#left = true;
    this.#leave();
  }

  /** Tells whether a further pass has no batches: a generator gives its batches once. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** Gives the next batch; `undefined` at the end of a pass, after which a new one begins, and where it is no longer waited for. */
  async next(): Promise<DataInputs | undefined> {
    if (this.#left) return undefined;
    const first = this.#first;
    this.#first = undefined;
    if (first || this.#exhausted) return first;
    this.#open ??= await this.#unlessLeft(this.#begin());
    if (!this.#open) return undefined;
    const { iterator, own } = this.#open;
    const got = await this.#unlessLeft(Promise.resolve(iterator.next()));
    if (!got) return undefined;
    const { done, value } = got;
    if (done) {
      this.#exhausted = !own || this.#count === 0;
      this.#open = undefined;
      this.#count = 0;
      return undefined;
    }
    this.#count++;
    return inputsOf(value, `${this.#where}: a batch`);
  }

  /** Puts a batch back, which is then the next one. */
  unread(batch: DataInputs): void {
    this.#first = batch;
  }

  /** Begins anew what this reader can open again. An iterator of the caller's goes on. */
  restart(): void {
    if (!this.#open?.own) return;
    this.close();
    this.#first = undefined;
    this.#count = 0;
  }

  /** Closes a pass that this reader has opened and not read to its end. An iterator of the caller's stays open. */
  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (!open?.own) return;
    try {
      Promise.resolve(open.iterator.return?.()).catch(() => {});
    } catch {
      // A generator that cannot be closed must not hide what ended the call.
    }
  }

  /** Awaits a promise, until nothing is waited for. What it throws after that is nobody's. */
  #unlessLeft<T>(promise: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#leave = () => resolve(undefined);
      promise.then(resolve, reject);
      if (this.#left) resolve(undefined);
    });
  }

  async #begin(): Promise<Pass> {
    const source = this.#source;
    const batches: unknown = typeof source === "function" ? await source() : source;
    const iterator = iteratorOf(batches);
    if (!iterator) throw wrong(`${this.#where}: the function`, "return a generator or an iterable of batches", batches);
    return { iterator, own: iterator !== source };
  }
}

type AnyIterator = Pass["iterator"];

/** Finds the methods of what can be iterated. Arrays have them too, but are data. */
function methodsOf(batches: unknown): { iterate?: () => AnyIterator; next?: unknown } | undefined {
  if (typeof batches !== "object" || batches === null || Array.isArray(batches) || ArrayBuffer.isView(batches))
    return undefined;
  const given = batches as { [Symbol.asyncIterator]?: unknown; [Symbol.iterator]?: unknown; next?: unknown };
  const iterate = given[Symbol.asyncIterator] ?? given[Symbol.iterator];
  if (typeof iterate === "function") return { iterate: iterate as () => AnyIterator };
  return typeof given.next === "function" ? { next: given.next } : undefined;
}

/** Gives the iterator of batches. */
function iteratorOf(batches: unknown): AnyIterator | undefined {
  const methods = methodsOf(batches);
  return methods?.iterate ? methods.iterate.call(batches) : methods && (batches as AnyIterator);
}

/** Gives a batch's data by name. @throws FeaturemapError `value` unless it is a list, an object with x, or samples alone */
function inputsOf(batch: unknown, where: string): DataInputs {
  if (Array.isArray(batch)) {
    if (batch.length === 0 || batch.length > 3) throw wrong(where, "be [x], [x, y] or [x, y, sampleWeight]", batch);
    const [x, y, sampleWeight] = batch as [ColumnInputs, ColumnInputs?, ColumnInputs?];
    return { x, y, sampleWeight };
  }
  if (ArrayBuffer.isView(batch) || (tagOf(batch) === "Object" && "data" in (batch as object)))
    return { x: batch as TensorData };
  if (tagOf(batch) !== "Object" || !("x" in (batch as object)))
    throw wrong(where, "be [x, y, sampleWeight] or { x, y, sampleWeight }", batch);
  knownKeys(batch as DataInputs, ["x", "y", "sampleWeight"], where);
  return batch as DataInputs;
}

/** Makes the error of a stream without a batch, which Keras refuses, too. */
export function emptyStream(where: string): FeaturemapError {
  return new FeaturemapError("value", `${where}: the stream has no batch. A generator gives its batches once.`);
}
