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
import { IMAGE_PIXELS, IMAGE_SHAPE } from "../network.ts";

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
  train: ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"],
  test: ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"],
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

async function fetchSplit(folder: URL, names: readonly [string, string], onBytes: OnBytes): Promise<Split> {
  const received = [0, 0];
  const totals: (number | undefined)[] = [undefined, undefined];
  const failure = new AbortController();
  const [images, labels] = await Promise.all(
    names.map((name, i) =>
      fetchFile(new URL(name, folder), failure.signal, (bytes, total) => {
        received[i] = bytes;
        totals[i] = total;
        const [first, second] = totals;
        onBytes(received[0]! + received[1]!, first !== undefined && second !== undefined ? first + second : undefined);
      }),
    ),
  ).finally(() => failure.abort()); // Where one file fails, the other is of no use.
  const { data: pixels, shape } = parseIdx(images!, names[0]);
  const { data: classes, shape: labelShape } = parseIdx(labels!, names[1]);
  const fits = pixels.length === classes.length * IMAGE_PIXELS;
  if (!(pixels instanceof Uint8Array && classes instanceof Uint8Array && fits)) {
    await forget(folder, names);
    const shapes = `[${shape.join(", ")}] and [${labelShape.join(", ")}]`;
    throw missing(`${names.join(" and ")} are not MNIST's: they hold arrays of ${shapes}.`);
  }
  return { images: pixels, labels: classes };
}

/** The whole file, out of the browser's cache or from the server; a sound one is kept. */
async function fetchFile(url: URL, signal: AbortSignal, onBytes: OnBytes): Promise<Uint8Array> {
  const cache = await openCache();
  const kept = await cache?.match(url);
  if (kept) {
    const bytes = await readBody(kept, onBytes);
    if (isIdx(bytes)) return bytes;
    await cache?.delete(url);
  }
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    throw missing(`${url.pathname} could not be fetched: ${(error as Error).message}. Is the server reachable?`);
  });
  if (!response.ok) throw missing(`${url.pathname} is missing: the server answered ${response.status}.`);
  const bytes = await readBody(response, onBytes);
  parseIdx(bytes, url.pathname);
  // Where there is no room the next visit fetches it again.
  await cache?.put(url, new Response(bytes)).catch(() => {});
  return bytes;
}

function missing(message: string): FeaturemapError {
  return new FeaturemapError("data", message);
}

function isIdx(bytes: Uint8Array): boolean {
  try {
    parseIdx(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Some browsers have no cache in private windows. */
async function openCache(): Promise<Cache | undefined> {
  return globalThis.caches?.open(CACHE).catch(() => undefined);
}

async function forget(folder: URL, names: readonly string[]): Promise<void> {
  const cache = await openCache();
  for (const name of names) await cache?.delete(new URL(name, folder));
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
