import { FeaturemapError, show } from "../errors.ts";
import { elements } from "../shape.ts";

/** A float32 tensor, row-major. `shape` may be `[]` for a single number. */
export interface SafeTensor {
  readonly shape: readonly number[];
  data: Float32Array;
}

export interface SafetensorsFile {
  /** In the order of the file's header. */
  tensors: Record<string, SafeTensor>;
  metadata: Record<string, string>;
}

interface Entry {
  readonly name: string;
  readonly shape: number[];
  readonly begin: number;
  readonly end: number;
}

const METADATA = "__metadata__";
const LENGTH_BYTES = 8;
/** The limit of the reference implementation. */
const MAX_HEADER_BYTES = 100_000_000;

/**
 * Packs float32 tensors as a safetensors file (https://github.com/huggingface/safetensors#format): the header's length
 * as eight little-endian bytes, a JSON header padded with spaces so that the values begin at a multiple of 8, then the
 * values of all tensors in the order of `tensors`, without gaps.
 *
 * @throws {FeaturemapError} `shape` where a shape does not fit its data, `value` for what the format cannot hold.
 */
export function toSafetensors(
  tensors: Readonly<Record<string, SafeTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const named = Object.entries(tensors);
  const header = encodeHeader(named, metadata);
  const total = named.reduce((sum, [, { data }]) => sum + data.byteLength, 0);
  const file = new Uint8Array(LENGTH_BYTES + header.length + total);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, LENGTH_BYTES);
  let at = LENGTH_BYTES + header.length;
  for (const [, { data }] of named) {
    // Typed arrays are little-endian, as the format is, wherever WebGPU runs.
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return file;
}

/**
 * Reads a safetensors file of float32 tensors. The values are copies.
 *
 * @param where Names the data in error messages, such as a file name.
 * @throws {FeaturemapError} `data` where the file is damaged, or has a tensor of another type than F32.
 */
export function parseSafetensors(bytes: Uint8Array | ArrayBuffer, where = "safetensors data"): SafetensorsFile {
  const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  const start = LENGTH_BYTES + headerLength(all, where);
  const { [METADATA]: metadata, ...described } = readHeader(all.subarray(LENGTH_BYTES, start), where);
  const entries = Object.entries(described).map(([name, info]) => readEntry(name, info, where));
  checkLayout(entries, all.length - start, where);
  const tensors = entries.map(({ name, shape, begin, end }): [string, SafeTensor] => {
    const copy = new Uint8Array(all.subarray(start + begin, start + end));
    return [name, { shape, data: new Float32Array(copy.buffer) }];
  });
  return { tensors: Object.fromEntries(tensors), metadata: readMetadata(metadata, where) };
}

function encodeHeader(named: [string, SafeTensor][], metadata: Readonly<Record<string, string>>): Uint8Array {
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push([METADATA, checkedMetadata(metadata)]);
  let at = 0;
  for (const [name, tensor] of named) {
    checkTensor(name, tensor);
    const end = at + tensor.data.byteLength;
    entries.push([name, { dtype: "F32", shape: tensor.shape, data_offsets: [at, end] }]);
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  return padded;
}

function checkTensor(name: string, { shape, data }: SafeTensor): void {
  const where = `toSafetensors: tensor "${name}"`;
  if (name === METADATA) {
    throw new FeaturemapError("value", `${where}: the format keeps this name for metadata. Choose another.`);
  }
  if (!(data instanceof Float32Array)) {
    throw new FeaturemapError("value", `${where} must have its data in a Float32Array, got ${show(data)}.`);
  }
  const length = isShape(shape) ? elements(shape) : Number.NaN;
  if (length !== data.length) {
    const wanted = Number.isNaN(length) ? "whole numbers as dimensions" : `${length} values`;
    throw new FeaturemapError("shape", `${where}: shape ${show(shape)} wants ${wanted}, got ${data.length} values.`);
  }
}

function checkedMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value === "string") continue;
    const message = `toSafetensors: metadata "${key}" must be a string, got ${show(value)}. Use JSON.stringify on it.`;
    throw new FeaturemapError("value", message);
  }
  return metadata;
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
    throw broken(where, `not a safetensors file: its first 8 bytes ask for a header of ${length} bytes.`);
  }
  if (length > present) {
    throw broken(where, `cut short: wanted a header of ${length} bytes, got ${present}. Check that the file is whole.`);
  }
  return Number(length);
}

function readHeader(bytes: Uint8Array, where: string): Record<string, unknown> {
  let header: unknown;
  try {
    // Copied, because TextDecoder refuses shared memory.
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes)));
  } catch (error) {
    throw broken(where, `the header is not JSON (${(error as Error).message}). The file is damaged.`, error);
  }
  if (!isObject(header)) throw broken(where, `the header must be a JSON object, got ${show(header)}.`);
  return header;
}

function readEntry(name: string, info: unknown, where: string): Entry {
  const at = `${where}: tensor "${name}"`;
  if (!isObject(info)) throw new FeaturemapError("data", `${at} must be described by an object, got ${show(info)}.`);
  const { dtype, shape, data_offsets: offsets } = info;
  if (dtype !== "F32") {
    throw new FeaturemapError("data", `${at} has dtype ${show(dtype)}: only F32 is supported. Convert it to float32.`);
  }
  if (!isShape(shape)) throw new FeaturemapError("data", `${at}: shape must be whole numbers, got ${show(shape)}.`);
  if (!isShape(offsets) || offsets.length !== 2) {
    throw new FeaturemapError("data", `${at}: data_offsets must be two whole numbers, got ${show(offsets)}.`);
  }
  const [begin, end] = offsets as [number, number];
  const size = elements(shape) * Float32Array.BYTES_PER_ELEMENT;
  if (end - begin !== size) {
    const got = `data_offsets ${show(offsets)} hold ${end - begin}`;
    throw new FeaturemapError("data", `${at}: shape ${show(shape)} wants ${size} bytes, but ${got}.`);
  }
  return { name, shape, begin, end };
}

/** Checks that the tensors fill `present` bytes from first to last, with no overlap and no gap. */
function checkLayout(entries: readonly Entry[], present: number, where: string): void {
  let filled = 0;
  for (const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== filled) {
      const fault = begin < filled ? "overlaps the one before it" : "leaves a gap before it";
      throw broken(where, `tensor "${name}" ${fault}: wanted it to begin at byte ${filled}, got ${begin}.`);
    }
    if (end > present) {
      const check = "Check that the file is whole.";
      throw broken(where, `cut short: tensor "${name}" ends at byte ${end} of the values, got ${present}. ${check}`);
    }
    filled = end;
  }
  if (filled !== present) throw broken(where, `the tensors fill ${filled} bytes, got ${present}: bytes are left over.`);
}

function readMetadata(metadata: unknown, where: string): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === "string")) {
    throw broken(where, `${METADATA} must be an object of strings, got ${show(metadata)}.`);
  }
  return metadata as Record<string, string>;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0);
}
