import { arrayType } from "../base/arrays.ts";
import { bytesOf, bytesUnder, checkedAt, isPage, isPlain, readAt, text } from "../base/check.ts";
import { FeaturemapError, show } from "../base/errors.ts";
import { elements } from "../base/shape.ts";
import { bytesAs, ELEMENT_TYPES, isElementType, type SafeArray, type SafeType, TYPE_OF } from "./element-types.ts";
import { jsonKeys } from "./json-keys.ts";

/** Numbers as they were read, row-major, with their shape. A single number may have the shape `[]`. */
export interface SafeTensor {
  readonly shape: readonly number[];
  /** Type as the file names it. Default: the type of the array. */
  readonly dtype?: SafeType;
  /**
   * Values. `F16` and `BF16` become a Float32Array and `BOOL` a Uint8Array, which hold all of their values. `I64` and `U64` become a
   * BigInt64Array and a BigUint64Array. Each other type becomes the array of its name.
   */
  readonly data: SafeArray;
}

export interface SafetensorsFile {
  /** Tensors by name, in the order of the file's header. */
  readonly tensors: Map<string, SafeTensor>;
  readonly metadata: Map<string, string>;
}

/** Values by name: a plain object, or entries as of a Map. Entries keep names such as "10" in their place. */
export type Named<T> = Readonly<Record<string, T>> | Iterable<readonly [string, T]>;

interface Entry {
  readonly name: string;
  readonly dtype: SafeType;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

const METADATA = "__metadata__";
const LENGTH_BYTES = 8;
/** Limit of the reference implementation (https://github.com/huggingface/safetensors). */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Packs tensors as a safetensors file (https://github.com/huggingface/safetensors#format). The file begins with the header's
 * length, as eight little-endian bytes. A JSON header follows, padded with spaces so that the values begin at a multiple of 8. Then
 * come the values of all tensors in the order of `tensors`, without gaps. Each tensor is written with the type of its array: `F32`
 * for a Float32Array. `dtype` may name `F16`, `BF16` or `BOOL`, which have no array of their own, if that type holds all values.
 *
 * @throws FeaturemapError `shape` where a shape does not fit its data; `value` for what the format cannot hold, another `dtype`,
 *   and an array whose memory was transferred away
 */
export function toSafetensors(tensors: Named<SafeTensor>, metadata: Named<string> = {}): Uint8Array<ArrayBuffer> {
  const packed = entriesOf(tensors, "tensors").map(([name, tensor]) => packedOf(name, tensor));
  const header = encodeHeader(packed, entriesOf(metadata, "metadata"));
  const total = packed.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const file = new Uint8Array(LENGTH_BYTES + header.length + total);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, LENGTH_BYTES);
  let at = LENGTH_BYTES + header.length;
  for (const { bytes } of packed) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/**
 * Reads a safetensors file. The values are copies, in the order of the header, with the types of `SafeTensor`. The format has no
 * checksum, so damaged values cannot be told. Files of `saveModel` bring one.
 *
 * @param where Names the data in error messages, such as a file name.
 * @throws FeaturemapError `data` where the file is damaged, has a name twice, or has a tensor of a type that is not read; `value`
 *   where `bytes` are none
 * @example
 * const { tensors, metadata } = parseSafetensors(await file.arrayBuffer());
 * const { shape, data } = tensors.get("dense/kernel")!;
 */
export function parseSafetensors(bytes: Uint8Array | ArrayBuffer, where = "safetensors data"): SafetensorsFile {
  const all = bytesOf(bytes, `${checkedAt(text, where, "parseSafetensors: where")}: bytes`);
  const start = LENGTH_BYTES + headerLength(all, where);
  const header = readHeader(all.subarray(LENGTH_BYTES, start), where);
  const metadata = readMetadata(header, where);
  header.entries.delete(METADATA);
  const entries = [...header.entries].map(([name, info]) => readEntry(name, info, where));
  checkLayout(entries, all.length - start, where);
  const tensors = entries.map(({ name, dtype, shape, begin, end }): [string, SafeTensor] => {
    const copy = new Uint8Array(all.subarray(start + begin, start + end));
    return [name, { shape, dtype, data: ELEMENT_TYPES[dtype].read(copy.buffer) }];
  });
  return { tensors: new Map(tensors), metadata };
}

function entriesOf<T>(named: Named<T>, what: string): [string, T][] {
  const wanted = new FeaturemapError(
    "value",
    `toSafetensors: ${what} must be a plain object, or a Map or entries with each name once, got ${show(named)}.`,
  );
  if (typeof named !== "object" || named === null) throw wanted;
  const path = `toSafetensors: ${what}`;
  // A date, a promise and an empty array have no entries either, but are not meant.
  const isNamed = () => (Symbol.iterator in named ? !ArrayBuffer.isView(named) : isPlain(named) && !isThenable(named));
  if (!readAt({ path, code: "value" }, isNamed)) throw wanted;
  const read = readAt({ path, code: "value" }, () => {
    const entries = new Map<string, T>();
    const given = Symbol.iterator in named ? (named as Iterable<readonly [string, T]>) : Object.entries(named);
    for (const entry of given) {
      const [name, value] = Array.isArray(entry) ? (entry as [string, T]) : [];
      // At once: the entries may have no end.
      if (typeof name !== "string" || entries.has(name)) return undefined;
      entries.set(name, value as T);
    }
    return [...entries];
  });
  if (!read) throw wanted;
  return read;
}

function isThenable(value: object): boolean {
  return typeof (value as { then?: unknown }).then === "function";
}

function encodeHeader(packed: readonly Packed[], metadata: readonly (readonly [string, string])[]): Uint8Array {
  const entries: [string, string][] = [];
  if (metadata.length > 0) entries.push([METADATA, asJson(metadata.map(metadataEntry))]);
  let at = 0;
  for (const { name, dtype, shape, bytes } of packed) {
    const end = at + bytes.length;
    entries.push([name, JSON.stringify({ dtype, shape, data_offsets: [at, end] })]);
    at = end;
  }
  const json = new TextEncoder().encode(asJson(entries));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  return padded;
}

/** JSON text of an object in the order of its entries. JavaScript's own objects put names such as "10" first. */
function asJson(entries: readonly (readonly [name: string, json: string])[]): string {
  return `{${entries.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(",")}}`;
}

function metadataEntry([key, value]: readonly [string, string]): [string, string] {
  if (typeof value === "string") return [key, JSON.stringify(value)];
  const message = `toSafetensors: metadata "${key}" must be a string, got ${show(value)}. Use JSON.stringify on it.`;
  throw new FeaturemapError("value", message);
}

/** Tensor to be written. */
interface Packed {
  readonly name: string;
  readonly dtype: SafeType;
  readonly shape: readonly number[];
  /** Bytes of the values. Typed arrays are little-endian, as the format is, wherever WebGPU runs. */
  readonly bytes: Uint8Array;
}

function packedOf(name: string, tensor: SafeTensor): Packed {
  const where = `toSafetensors: tensor ${show(name)}`;
  if (name === METADATA) {
    throw new FeaturemapError("value", `${where}: the format keeps this name for metadata. Choose another.`);
  }
  const { shape, data, dtype } = readAt({ path: where, code: "value" }, () => {
    const { shape, data, dtype } = tensor ?? {};
    return { shape: isShape(shape) ? [...shape] : shape, data, dtype };
  });
  const own = TYPE_OF.get(readAt({ path: where, code: "value" }, () => arrayType(data)) ?? "");
  if (!own) {
    const wanted = "a Float32Array, or another typed array of the format's types";
    throw new FeaturemapError("value", `${where} must have its data in ${wanted}, got ${show(data)}.`);
  }
  const bytes = bytesUnder(data, `${where}: data`);
  const sizes = isShape(shape) ? shape : undefined;
  if (!sizes || elements(sizes) !== data.length) {
    const wanted = sizes ? `${elements(sizes)} values` : "whole numbers as dimensions";
    throw new FeaturemapError("shape", `${where}: shape ${show(shape)} wants ${wanted}, got ${data.length} values.`);
  }
  if (dtype === undefined || dtype === own) return { name, dtype: own, shape: sizes, bytes };
  const written = isElementType(dtype) ? bytesAs(dtype, data) : undefined;
  if (written) return { name, dtype, shape: sizes, bytes: written };
  const message = `${where} cannot be written as dtype ${show(dtype)}, which does not hold the values of its ${arrayType(data)}`;
  throw new FeaturemapError("value", `${message}. Leave dtype out to write ${own}.`);
}

function broken(where: string, what: string, cause?: unknown): FeaturemapError {
  return new FeaturemapError("data", `${where}: ${what}`, cause === undefined ? {} : { cause });
}

function headerLength(bytes: Uint8Array, where: string): number {
  if (bytes.length < LENGTH_BYTES) {
    throw broken(where, `too short for a safetensors file: wanted at least 8 bytes, got ${bytes.length}.`);
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  const present = bytes.length - LENGTH_BYTES;
  if (length > MAX_HEADER_BYTES) {
    const missing = "Servers often answer so where the file is missing.";
    if (isPage(bytes)) throw broken(where, `not a safetensors file, but an HTML or XML page. ${missing}`);
    throw broken(where, `not a safetensors file: its first 8 bytes ask for a header of ${length} bytes.`);
  }
  if (length > present) {
    throw broken(where, `cut short: wanted a header of ${length} bytes, got ${present}. Check that the file is whole.`);
  }
  return Number(length);
}

interface Header {
  /** Entry of each name, in order. */
  readonly entries: Map<string, unknown>;
  /** Names of the metadata, in order. */
  readonly keys: readonly string[];
}

function readHeader(bytes: Uint8Array, where: string): Header {
  let json: string;
  let header: unknown;
  try {
    // A copy, since TextDecoder refuses shared memory.
    json = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
    header = JSON.parse(json);
  } catch (error) {
    throw broken(where, `the header is not JSON (${(error as Error).message}). The file is damaged.`, error);
  }
  if (!isObject(header)) throw broken(where, `the header must be a JSON object, got ${show(header)}.`);
  const { names, inner, twice } = jsonKeys(json, METADATA);
  if (twice !== undefined)
    throw broken(where, `the header has ${show(twice)} twice. The file is damaged, or no longer its own.`);
  const values = header;
  return { entries: new Map(names.map((name) => [name, values[name]])), keys: inner };
}

function readEntry(name: string, info: unknown, where: string): Entry {
  const at = `${where}: tensor ${show(name)}`;
  if (!isObject(info)) throw new FeaturemapError("data", `${at} must be described by an object, got ${show(info)}.`);
  const { dtype, shape, data_offsets: offsets } = info;
  if (!isElementType(dtype)) {
    const known = `It can be ${Object.keys(ELEMENT_TYPES).join(", ")}`;
    throw new FeaturemapError("data", `${at} has dtype ${show(dtype)}, which is not read. ${known}.`);
  }
  if (!isShape(shape)) throw new FeaturemapError("data", `${at}: shape must be whole numbers, got ${show(shape)}.`);
  if (!isShape(offsets) || offsets.length !== 2) {
    throw new FeaturemapError("data", `${at}: data_offsets must be two whole numbers, got ${show(offsets)}.`);
  }
  const [begin, end] = offsets as [number, number];
  const size = elements(shape) * ELEMENT_TYPES[dtype].bytes;
  if (end - begin !== size) {
    const got = `data_offsets ${show(offsets)} hold ${end - begin}`;
    throw new FeaturemapError("data", `${at}: shape ${show(shape)} wants ${size} bytes, but ${got}.`);
  }
  return { name, dtype, shape, begin, end };
}

/** Checks that the tensors fill `present` bytes from first to last, with no overlap and no gap. */
function checkLayout(entries: readonly Entry[], present: number, where: string): void {
  let filled = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    const at = `tensor ${show(name)}`;
    if (begin !== filled) {
      const fault = begin < filled ? "overlaps the one before it" : "leaves a gap before it";
      throw broken(where, `${at} ${fault}: wanted it to begin at byte ${filled}, got ${begin}.`);
    }
    if (end > present) {
      const check = "Check that the file is whole.";
      throw broken(where, `cut short: ${at} ends at byte ${end} of the values, got ${present}. ${check}`);
    }
    filled = end;
  }
  if (filled !== present) throw broken(where, `the tensors fill ${filled} bytes, got ${present}: bytes are left over.`);
}

function readMetadata({ entries, keys }: Header, where: string): Map<string, string> {
  const metadata = entries.get(METADATA);
  if (metadata === undefined) return new Map();
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw broken(where, `${METADATA} must be an object of strings, got ${show(metadata)}.`);
  }
  return new Map(keys.map((key) => [key, metadata[key] as string]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isShape(value: unknown): value is number[] {
  if (!Array.isArray(value)) return false;
  // `every` would leave out the holes of an array.
  for (let i = 0; i < value.length; i++) if (!(Number.isSafeInteger(value[i]) && value[i] >= 0)) return false;
  return true;
}
