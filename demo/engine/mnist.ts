import {
  createDataset,
  type Dataset,
  fetchIdx,
  type IdxArray,
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

export interface Mnist {
  readonly train: Split;
  readonly test: Split;
}

/** `total` is `undefined` where the server does not say it. */
type OnBytes = (received: number, total: number | undefined) => void;

const FILES = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];

/** Fetches the four files out of `folder`; `onBytes` gets the sums over all four. */
export async function fetchMnist(folder: URL, onBytes: OnBytes, signal: AbortSignal): Promise<Mnist> {
  const received = FILES.map(() => 0);
  const totals = FILES.map((): number | undefined => undefined);
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const files = await Promise.all(
    FILES.map((name, i) =>
      fetchIdx(new URL(`${name}-ubyte`, folder), {
        signal: either,
        onProgress: (bytes, total) => {
          if (either.aborted) return;
          received[i] = bytes;
          totals[i] = total;
          onBytes(sum(received), totals.every((bytes) => bytes !== undefined) ? sum(totals) : undefined);
        },
      }),
    ),
  ).finally(() => failure.abort()); // Where one file fails, the others are of no use.
  return { train: split(files[0]!, files[1]!), test: split(files[2]!, files[3]!) };
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

function split(images: IdxArray, labels: IdxArray): Split {
  const { data: pixels, shape } = images;
  const { data: classes } = labels;
  const fits = pixels.length === classes.length * IMAGE_PIXELS;
  if (!(pixels instanceof Uint8Array && classes instanceof Uint8Array && fits)) {
    const shapes = `[${shape.join(", ")}] and [${labels.shape.join(", ")}]`;
    throw new Error(`The files under mnist/ are not MNIST's: images and labels of ${shapes}.`);
  }
  return { images: pixels, labels: classes };
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
}
