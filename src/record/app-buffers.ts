import { FeaturemapError, knownKeys, show, tagOf, wholeNumber, wrong } from "../base/errors.ts";
import { elements, type Shape, showShape } from "../base/shape.ts";

/** Part of a buffer: `size` bytes from `offset` on. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  /** In bytes, a multiple of the device's `minStorageBufferOffsetAlignment` (256). Default 0. */
  readonly offset?: number;
  /** In bytes, at least what the samples take. Default: that. */
  readonly size?: number;
}

/** Buffer of an app, of usage STORAGE and on the model's device, or a part of one. */
export type AppBuffer = GPUBuffer | BufferRange;

/** Buffer of a model's only input or output, or one for each of several by name. */
export type AppBuffers = AppBuffer | Readonly<Record<string, AppBuffer>>;

/** Input or output of a model, as its numbers lie in an app's buffer: row-major, one sample after the other. */
export interface AppPort {
  readonly name: string;
  /** Shape of one sample. */
  readonly shape: Shape;
  readonly dtype: "f32" | "u8";
}

/** Bound part of an app's buffer. */
export interface Bound {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

/** GPUBufferUsage.STORAGE, as a number: hosts without a global GPUBufferUsage exist. */
const STORAGE_USAGE = 0x80;

/** Bytes of so many samples, in whole words. */
export function bytesOf({ shape, dtype }: Pick<AppPort, "shape" | "dtype">, samples: number): number {
  const numbers = samples * elements(shape);
  return dtype === "u8" ? Math.ceil(numbers / 4) * 4 : numbers * 4;
}

/**
 * Finds the part to bind for each port, in the order of the ports.
 *
 * @param alignment The device's `minStorageBufferOffsetAlignment`.
 * @throws FeaturemapError `value` if a port has no buffer, a name is unknown, or a buffer cannot be bound; `shape` if a buffer
 *   is too small
 */
export function boundFor(
  given: AppBuffers,
  ports: readonly AppPort[],
  samples: number,
  alignment: number,
  where: string,
): Bound[] {
  const single = ports.length === 1;
  if (single && isAppBuffer(given)) return [partOf(given, ports[0]!, samples, alignment, where)];
  const list = `{ ${ports.map(({ name }) => name).join(", ")} }`;
  if (tagOf(given) !== "Object")
    throw wrong(where, single ? `be ${APP_BUFFER}` : `have a buffer for each of ${list}, by name`, given);
  const names = Object.keys(given);
  const spare = names.find((name) => !ports.some((port) => port.name === name));
  if (spare !== undefined)
    throw new FeaturemapError("value", `${where} has a buffer ${show(spare)}, the model takes ${list}.`);
  const byName = given as Readonly<Record<string, AppBuffer>>;
  return ports.map((port) => {
    if (names.includes(port.name)) return partOf(byName[port.name]!, port, samples, alignment, `${where}.${port.name}`);
    const got = names.join(", ") || "none";
    throw new FeaturemapError("value", `${where} lacks a buffer for "${port.name}". It has: ${got}.`);
  });
}

function partOf(given: AppBuffer, port: AppPort, samples: number, alignment: number, where: string): Bound {
  if (!isAppBuffer(given)) throw wrong(where, `be ${APP_BUFFER}`, given);
  const range: BufferRange = isBuffer(given) ? { buffer: given } : given;
  knownKeys(range, ["buffer", "offset", "size"], where);
  const { buffer } = range;
  const offset = wholeNumber(range.offset ?? 0, `${where}: offset`);
  if (offset < 0 || offset % alignment !== 0)
    throw wrong(
      `${where}: offset`,
      `be a multiple of ${alignment}, the device's minStorageBufferOffsetAlignment`,
      offset,
    );
  const size = bytesOf(port, samples);
  const there = Math.min(wholeNumber(range.size ?? buffer.size, `${where}: size`), buffer.size - offset);
  if (there < size) {
    const what = `${port.dtype} ${showShape([samples, ...port.shape])}, which is ${size} bytes`;
    const from = offset === 0 ? "" : ` from byte ${offset} on`;
    throw new FeaturemapError("shape", `${where} is ${what}, but its buffer has ${Math.max(0, there)}${from}.`);
  }
  if ((buffer.usage & STORAGE_USAGE) === 0)
    throw new FeaturemapError(
      "value",
      `${where}: the buffer must have usage STORAGE. Make it with GPUBufferUsage.STORAGE.`,
    );
  return { buffer, offset, size };
}

/** Name of an `AppBuffer` in messages. */
const APP_BUFFER = "a GPUBuffer, or { buffer, offset, size }";

function isAppBuffer(value: unknown): value is AppBuffer {
  if (isBuffer(value)) return true;
  return (
    tagOf(value) === "Object" && Object.hasOwn(value as object, "buffer") && isBuffer((value as BufferRange).buffer)
  );
}

function isBuffer(value: unknown): value is GPUBuffer {
  return tagOf(value) === "GPUBuffer";
}

/**
 * Checks that nothing is written where something else is read or written.
 *
 * @throws FeaturemapError `value` if an output lies in an input's buffer, or overlaps another output
 */
export function assertApart(inputs: readonly Bound[], outputs: readonly Bound[], where: string): void {
  if (outputs.some(({ buffer }) => inputs.some((input) => input.buffer === buffer)))
    throw new FeaturemapError(
      "value",
      `${where}: an output lies in the buffer of an input. Give each a buffer of its own.`,
    );
  const overlap = (a: Bound, b: Bound) =>
    a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size;
  if (outputs.some((a, i) => outputs.some((b, j) => i < j && overlap(a, b))))
    throw new FeaturemapError("value", `${where}: two outputs overlap. Give each a part of its own.`);
}

/** Cache by lists of bound parts. A value lives as long as all of its buffers. */
export class ByBuffers<T> {
  value: T | undefined;
  readonly #next = new WeakMap<GPUBuffer, Map<number, ByBuffers<T>>>();

  /** Finds the place of a list of parts. It has no `value` before one is put there. */
  at(parts: readonly Bound[]): ByBuffers<T> {
    let place: ByBuffers<T> = this;
    for (const { buffer, offset } of parts) place = place.#after(buffer, offset);
    return place;
  }

  #after(buffer: GPUBuffer, offset: number): ByBuffers<T> {
    const byOffset = this.#next.get(buffer) ?? new Map<number, ByBuffers<T>>();
    this.#next.set(buffer, byOffset);
    const place = byOffset.get(offset) ?? new ByBuffers<T>();
    byOffset.set(offset, place);
    return place;
  }
}
