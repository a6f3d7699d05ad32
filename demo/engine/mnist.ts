// MNIST: fetched once, kept by the browser, in memory from then on.

import {
  createDataset,
  type Dataset,
  FeaturemapError,
  parseIdx,
  type Runtime,
  type TensorData,
  tensor,
} from "../../src/index.ts";
import { wordsOf } from "../error-words.ts";
import { DIGITS, IMAGE_PIXELS, IMAGE_SHAPE } from "../network.ts";
import { codeOf } from "./lost.ts";

export interface Split {
  /** Pixels, one byte each, image after image. */
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/** Bytes so far, and in all where the server says so. */
export type OnBytes = (received: number, total: number | undefined) => void;

export interface Mnist {
  /** 60,000 images. Rejects with what is missing; the next call tries again. */
  train(onBytes?: OnBytes): Promise<Split>;
  /** 10,000 images, as `train`. */
  test(onBytes?: OnBytes): Promise<Split>;
}

const CACHE = "featuremap-mnist-data";
const FILES = {
  train: { images: "train-images-idx3-ubyte", labels: "train-labels-idx1-ubyte", size: 60_000 },
  test: { images: "t10k-images-idx3-ubyte", labels: "t10k-labels-idx1-ubyte", size: 10_000 },
} as const;

/** @param folder Address of the four files, with a slash at its end. */
export function createMnist(folder: URL): Mnist {
  const train = once((onBytes) => fetchSplit(folder, FILES.train, onBytes));
  const test = once((onBytes) => fetchSplit(folder, FILES.test, onBytes));
  return { train, test };
}

/** The first `size` images of a split, on the GPU. */
export function uploadSplit(runtime: Runtime, { images, labels }: Split, size: number): Promise<Dataset> {
  const y = tensor(labels.subarray(0, size), [size]);
  return createDataset(runtime, { x: imageTensor(images, size), y });
}

/** The first `size` images as numbers in [0, 1] of [size, 28, 28, 1]. */
export function imageTensor(images: Uint8Array, size: number): TensorData {
  return tensor(images.subarray(0, size * IMAGE_PIXELS), [size, ...IMAGE_SHAPE], { scale: 1 / 255 });
}

/** Who calls while it loads waits for the same; all are told of its progress. */
function once(load: (onBytes: OnBytes) => Promise<Split>): (onBytes?: OnBytes) => Promise<Split> {
  let loading: Promise<Split> | undefined;
  const told: OnBytes[] = [];
  return (onBytes) => {
    if (onBytes) told.push(onBytes);
    loading ??= load((received, total) => {
      for (const tell of told) tell(received, total);
    })
      .catch((error: unknown) => {
        loading = undefined;
        throw error;
      })
      .finally(() => told.splice(0));
    return loading;
  };
}

type Files = (typeof FILES)[keyof typeof FILES];

async function fetchSplit(folder: URL, { images, labels, size }: Files, onBytes: OnBytes): Promise<Split> {
  const received = [0, 0];
  const totals: (number | undefined)[] = [undefined, undefined];
  const failure = new AbortController();
  const wanted: readonly Wanted[] = [
    { url: new URL(images, folder), shape: [size, 28, 28] },
    { url: new URL(labels, folder), shape: [size], below: DIGITS },
  ];
  const [pixels, classes] = await Promise.all(
    wanted.map((file, i) =>
      fetchFile(file, failure.signal, (bytes, total) => {
        received[i] = bytes;
        totals[i] = total;
        const [first, second] = totals;
        onBytes(received[0]! + received[1]!, first !== undefined && second !== undefined ? first + second : undefined);
      }),
    ),
  ).finally(() => failure.abort()); // Where one file fails, the other is of no use.
  return { images: pixels!, labels: classes! };
}

interface Wanted {
  readonly url: URL;
  readonly shape: readonly number[];
  /** Each byte is. */
  readonly below?: number;
}

/** A file's array, out of the browser's cache or from the server; a sound file is kept, another one is thrown out. */
async function fetchFile(wanted: Wanted, signal: AbortSignal, onBytes: OnBytes): Promise<Uint8Array> {
  const { url } = wanted;
  const cache = await openCache();
  const known = await cached(cache, wanted, onBytes);
  if (known) return known;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) throw missing(`${url.pathname} is missing: the server answered ${response.status}.`);
    bytes = await readBody(response, onBytes);
  } catch (error) {
    if (codeOf(error)) throw error;
    throw missing(`${url.pathname} could not be fetched: ${wordsOf(error)}. Is the server reachable?`);
  }
  const array = arrayIn(bytes, wanted);
  // Where there is no room the next visit fetches it again.
  await cache?.put(url, new Response(bytes)).catch(() => {});
  return array;
}

/** The server has what the cache has not, or has damaged. */
async function cached(cache: Cache | undefined, wanted: Wanted, onBytes: OnBytes): Promise<Uint8Array | undefined> {
  try {
    const response = await cache?.match(wanted.url);
    return response && arrayIn(await readBody(response, onBytes), wanted);
  } catch {
    await cache?.delete(wanted.url).catch(() => {});
    return undefined;
  }
}

/** @throws FeaturemapError `data` where a file is not the one of MNIST */
function arrayIn(file: Uint8Array, { url, shape, below = 256 }: Wanted): Uint8Array {
  const { data, shape: found } = parseIdx(file, url.pathname);
  const bytes = data instanceof Uint8Array && found.join() === shape.join() && data.every((byte) => byte < below);
  if (bytes) return data;
  const holds = `it holds ${data.constructor.name} [${found.join(", ")}]`;
  throw missing(`${url.pathname} is not MNIST's: ${holds} instead of bytes [${shape.join(", ")}] below ${below}.`);
}

function missing(message: string): FeaturemapError {
  return new FeaturemapError("data", message);
}

/** Some browsers have no cache in private windows. */
async function openCache(): Promise<Cache | undefined> {
  return globalThis.caches?.open(CACHE).catch(() => undefined);
}

async function readBody(response: Response, onBytes: OnBytes): Promise<Uint8Array<ArrayBuffer>> {
  const said = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
  const total = said === null ? undefined : Number(said);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let received = 0;
  const reader = response.body!.getReader();
  for (let { value } = await reader.read(); value; { value } = await reader.read()) {
    pieces.push(value);
    received += value.length;
    onBytes(received, total);
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
