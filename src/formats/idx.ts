import { addressText, bytesOf, checkedAt, isPage, reasonOf, text } from "../base/check.ts";
import { anObject, FeaturemapError, knownKeys, optionalFunction, positiveInteger, wrong } from "../base/errors.ts";
import { nodeFiles } from "../base/node-files.ts";

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** Values of one IDX file, row-major, and its dimensions: MNIST's training images are `[60000, 28, 28]`. */
export interface IdxArray {
  data: IdxData;
  shape: number[];
}

export interface ReadIdxOptions {
  /** Most bytes that the file may have, unpacked: a gzip of a megabyte may hold a gigabyte. Default 2^30, one GiB. */
  readonly maxBytes?: number;
}

export interface FetchIdxOptions extends RequestInit, ReadIdxOptions {
  /**
   * Called after each piece with the bytes received so far, and the bytes in all if the server says. A promise is awaited. The
   * call throws what `onProgress` throws.
   */
  onProgress?: (received: number, total: number | undefined) => unknown;
}

type Bytes = Uint8Array<ArrayBuffer>;

interface Kind {
  readonly bytes: number;
  readonly read: (view: DataView, count: number) => IdxData;
}

interface Header {
  readonly kind: Kind;
  readonly shape: number[];
  readonly count: number;
  /** Bytes before the values. */
  readonly offset: number;
  /** Bytes of the whole file. */
  readonly size: number;
}

const MAX_DIMENSIONS = 8;
/** Packed bytes that are unpacked at once: deflate makes at most 1,032 times as much of them (https://zlib.net/zlib_tech.html). */
const SLICE_BYTES = 16384;
const MAX_BYTES = 2 ** 30;

const KINDS: ReadonlyMap<number | undefined, Kind> = new Map<number, Kind>([
  [8, { bytes: 1, read: (view, count) => new Uint8Array(view.buffer, view.byteOffset, count) }],
  [9, { bytes: 1, read: (view, count) => new Int8Array(view.buffer, view.byteOffset, count) }],
  [11, { bytes: 2, read: (view, count) => Int16Array.from({ length: count }, (_, i) => view.getInt16(2 * i)) }],
  [12, { bytes: 4, read: (view, count) => Int32Array.from({ length: count }, (_, i) => view.getInt32(4 * i)) }],
  [13, { bytes: 4, read: (view, count) => Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i)) }],
  [14, { bytes: 8, read: (view, count) => Float64Array.from({ length: count }, (_, i) => view.getFloat64(8 * i)) }],
]);

/**
 * Reads an unpacked IDX file, the big-endian format of the MNIST files (http://yann.lecun.com/exdb/mnist/). Data of 8 bits is a
 * view into `bytes`, not a copy.
 *
 * @param where Names the data in error messages, such as a file name.
 * @throws FeaturemapError `data` where the header is wrong, or says another size than `bytes` has; `value` where `bytes` are none
 */
export function parseIdx(bytes: Uint8Array | ArrayBuffer, where = "IDX data"): IdxArray {
  const all = bytesOf(bytes, `${checkedAt(text, where, "parseIdx: where")}: bytes`);
  if (isGzip(all)) {
    throw broken(where, "still packed by gzip (it begins with 1f 8b). Unpack it, or use fetchIdx or readIdxFile.");
  }
  const header = readHeader(all, where);
  if (header === undefined) {
    throw broken(where, `too short for an IDX header: wanted ${headerBytes(all)} bytes, got ${all.length}. ${REFETCH}`);
  }
  const { kind, shape, count, offset, size } = header;
  if (all.length !== size) {
    const fault = all.length < size ? "cut short" : "longer than its header says";
    const dims = `[${shape.join(", ")}]`;
    throw broken(where, `${fault}: dimensions ${dims} wanted ${size} bytes in all, got ${all.length}. ${REFETCH}`);
  }
  return { data: kind.read(new DataView(all.buffer, all.byteOffset + offset, size - offset), count), shape };
}

/**
 * Downloads an IDX file. A gzip-packed file is unpacked on the way; its first bytes tell, not its name or the answer's headers. The
 * download stops as soon as more arrives than the IDX header says, or the header says more than `maxBytes`.
 *
 * @param options Those of `fetch`, `onProgress` and `maxBytes`. An abort by `signal` rejects with the signal's reason.
 * @throws FeaturemapError `data` where the download fails or its content is not a whole IDX file; `limit` where it is larger than
 *   `maxBytes`; `value` for wrong options
 * @example
 * const { data, shape } = await fetchIdx("mnist/train-images-idx3-ubyte.gz");
 */
export async function fetchIdx(url: string | URL, options: FetchIdxOptions = {}): Promise<IdxArray> {
  const where = addressText(url, "fetchIdx: url", "be an address, as a string or a URL");
  const { onProgress, maxBytes = MAX_BYTES, ...init } = anObject(options, "fetchIdx: options");
  optionalFunction(onProgress, "fetchIdx: onProgress");
  positiveInteger(maxBytes, "fetchIdx: maxBytes");
  const failed = (error: unknown) => {
    if (init.signal?.aborted) return init.signal.reason;
    const advice = "Check the address, the network and, for another origin, its CORS headers.";
    return new FeaturemapError("data", `${where}: download failed: ${reasonOf(error)}. ${advice}`, { cause: error });
  };
  const response = await fetch(where, init).catch((error) => Promise.reject(failed(error)));
  if (!response.ok || response.body === null) {
    response.body?.cancel().catch(() => {});
    const status = `${response.status} ${response.statusText}`.trim();
    throw broken(where, `the server answered ${status}, wanted 200 with a file. Check the address.`);
  }
  const report = progressReporter(response, onProgress);
  return unpack(response.body as ReadableStream<Bytes>, { where, maxBytes }, failed, report);
}

/**
 * Reads an IDX file from disk in Node, Deno or Bun. A gzip-packed file is unpacked; its first bytes tell.
 *
 * @throws FeaturemapError `data` where there is no such file, it cannot be read, or it is not a whole IDX file; `limit` where it is
 *   larger than `maxBytes`; `value` for wrong options
 */
export async function readIdxFile(path: string | URL, options: ReadIdxOptions = {}): Promise<IdxArray> {
  const where = addressText(path, "readIdxFile: path", "be the path or URL of a file");
  if (/^(https?|blob|data):/i.test(where))
    throw wrong("readIdxFile: path", "be of a file on disk (fetchIdx reads addresses)", where);
  knownKeys(options, ["maxBytes"], "readIdxFile");
  const { maxBytes = MAX_BYTES } = options;
  positiveInteger(maxBytes, "readIdxFile: maxBytes");
  const bytes = await readBytes(path, where);
  const limits = { where, maxBytes };
  if (!isGzip(bytes)) {
    assertFits(readHeader(bytes, where), limits);
    return parseIdx(bytes, where);
  }
  return unpack(
    slices(bytes),
    limits,
    (error) => error,
    () => {},
  );
}

const REFETCH = "Check that the file was downloaded whole.";

function broken(where: string, what: string, cause?: unknown): FeaturemapError {
  return new FeaturemapError("data", `${where}: ${what}`, cause === undefined ? {} : { cause });
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

function headerBytes(bytes: Uint8Array): number {
  return bytes.length < 4 ? 4 : 4 + 4 * bytes[3]!;
}

/** Reads and checks the header. Gives `undefined` if `bytes` ends before the header does. */
function readHeader(bytes: Uint8Array, where: string): Header | undefined {
  checkMagic(bytes, where);
  const offset = headerBytes(bytes);
  if (bytes.length < offset) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, offset);
  const shape = Array.from({ length: (offset - 4) / 4 }, (_, i) => view.getUint32(4 + 4 * i));
  if (shape.includes(0)) {
    throw broken(where, `the IDX header has a dimension of 0: wanted at least 1 in each, got [${shape.join(", ")}].`);
  }
  const kind = KINDS.get(bytes[2])!;
  const count = shape.reduce((product, length) => product * length, 1);
  const size = offset + count * kind.bytes;
  if (!Number.isSafeInteger(size)) {
    throw broken(where, `the IDX header asks for absurd dimensions: [${shape.join(", ")}]. The file is damaged.`);
  }
  return { kind, shape, count, offset, size };
}

/** Checks as many of the four magic bytes as there are: 0, 0, type code, number of dimensions. */
function checkMagic(bytes: Uint8Array, where: string): void {
  if (isPage(bytes)) {
    throw broken(where, "an HTML or XML page, wanted an IDX file. Servers often answer so where the file is missing.");
  }
  const [first = 0, second = 0, code, dimensions] = bytes;
  if (first !== 0 || second !== 0) {
    const got = `${hex(first)} ${hex(second)}`;
    throw broken(where, `not an IDX file: wanted 00 00 as its first two bytes, got ${got}. Check the file's name.`);
  }
  if (code !== undefined && !KINDS.has(code)) {
    const known = "08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32) or 0e (f64)";
    throw broken(where, `unknown IDX type code: wanted ${known} as the third byte, got ${hex(code)}.`);
  }
  if (dimensions !== undefined && (dimensions < 1 || dimensions > MAX_DIMENSIONS)) {
    throw broken(where, `the IDX header must have 1 to ${MAX_DIMENSIONS} dimensions, got ${dimensions}.`);
  }
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

async function readBytes(path: string | URL, where: string): Promise<Bytes> {
  const files = nodeFiles(`${where}: readIdxFile`, "fetchIdx");
  try {
    return await files.readFile(path);
  } catch (error) {
    if ((error as { code?: string }).code !== "ENOENT")
      throw broken(where, `cannot be read: ${reasonOf(error)}.`, error);
    throw new FeaturemapError("data", `readIdxFile: no file at ${where}. Check the path.`, { cause: error });
  }
}

function slices(bytes: Bytes): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.subarray(at, at + SLICE_BYTES));
      at += SLICE_BYTES;
      if (at >= bytes.length) controller.close();
    },
  });
}

/** Reports progress, with a total if the server says one. Of a packed answer it says the packed length, which is no total here. */
function progressReporter(response: Response, onProgress: FetchIdxOptions["onProgress"]): Report {
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const known = length > 0 && response.headers.get("content-encoding") === null;
  let received = 0;
  return (bytes) => {
    received += bytes;
    // Other origins may hide Content-Encoding. A total that is already passed gives that away.
    return onProgress?.(received, known && received <= length ? length : undefined);
  };
}

/** Listener that is told the bytes of each piece. */
type Report = (bytes: number) => unknown;

/** Name of a stream in messages, and most bytes that the file may have. */
interface ReadLimits {
  readonly where: string;
  readonly maxBytes: number;
}

/** Reads a stream of IDX bytes to its end, packed or not. `failed` makes the error for a fault of the source. */
async function unpack(
  source: ReadableStream<Bytes>,
  limits: ReadLimits,
  failed: (error: unknown) => unknown,
  report: Report,
): Promise<IdxArray> {
  const { where } = limits;
  let fault: { error: unknown } | undefined;
  const reader = source.getReader();
  const next = async (): Promise<Bytes | undefined> => {
    try {
      const { value } = await reader.read().catch((error) => Promise.reject(failed(error)));
      if (value !== undefined) await report(value.length);
      return value;
    } catch (error) {
      fault = { error };
      reader.cancel(error).catch(() => {});
      throw error;
    }
  };
  const start = await firstBytes(next, 2);
  const whole = resumed(start, next, (why) => reader.cancel(why));
  if (!isGzip(start)) return parseIdx(await collect(whole, limits), where);
  try {
    return parseIdx(await collect(whole.pipeThrough(new DecompressionStream("gzip")), limits), where);
  } catch (error) {
    if (fault !== undefined) throw fault.error;
    if (error instanceof FeaturemapError) throw error;
    throw broken(where, `damaged or cut short: gzip cannot unpack it (${reasonOf(error)}). ${REFETCH}`, error);
  }
}

async function firstBytes(next: () => Promise<Bytes | undefined>, count: number): Promise<Bytes> {
  let bytes: Bytes = new Uint8Array(0);
  while (bytes.length < count) {
    const piece = await next();
    if (piece === undefined) break;
    bytes = joined([bytes, piece]);
  }
  return bytes;
}

function resumed(
  start: Bytes,
  next: () => Promise<Bytes | undefined>,
  cancel: (why: unknown) => Promise<void>,
): ReadableStream<Bytes> {
  let piece: Bytes | undefined = start;
  let at = 0;
  return new ReadableStream({
    // In slices, however large the pieces are: a decompressor unpacks each as a whole before anybody can stop it.
    async pull(controller) {
      if (piece === undefined || at >= piece.length) [piece, at] = [await next(), 0];
      if (piece === undefined) return controller.close();
      controller.enqueue(piece.subarray(at, at + SLICE_BYTES));
      at += SLICE_BYTES;
    },
    cancel,
  });
}

/** Throws where a header says more than `maxBytes`. */
function assertFits(header: Header | undefined, { where, maxBytes }: ReadLimits): void {
  if (header === undefined || header.size <= maxBytes) return;
  const size = `the unpacked file has ${header.size} bytes by its header [${header.shape.join(", ")}]`;
  const remedy = "Raise maxBytes where it may be that large";
  throw new FeaturemapError("limit", `${where}: ${size}, more than maxBytes, ${maxBytes}. ${remedy}.`);
}

/** Collects all bytes of a stream. It stops at a bad IDX header, and at more bytes than the header says (a gzip bomb). */
async function collect(stream: ReadableStream<Bytes>, limits: ReadLimits): Promise<Bytes> {
  const { where } = limits;
  const reader = stream.getReader();
  const pieces: Bytes[] = [];
  let header: Header | undefined;
  let length = 0;
  try {
    for (;;) {
      const { value } = await reader.read();
      if (value === undefined) return joined(pieces);
      pieces.push(value);
      length += value.length;
      header ??= readHeader(joined(pieces), where);
      assertFits(header, limits);
      if (header !== undefined && length > header.size) {
        throw broken(where, `longer than its header says: wanted ${header.size} bytes in all, got more. ${REFETCH}`);
      }
    }
  } catch (error) {
    reader.cancel(error).catch(() => {});
    throw error;
  }
}

function joined(pieces: readonly Bytes[]): Bytes {
  if (pieces.length === 1) return pieces[0]!;
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
