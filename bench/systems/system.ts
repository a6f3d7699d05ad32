// What every system of the benchmark is: one network in one library, on the same data from the same weights.

import { product } from "../arithmetic.ts";
import type { NetworkSpec } from "../networks.ts";

export const SYSTEM_NAMES = [
  "featuremap",
  "tfjs-webgpu",
  "tfjs-webgl",
  "tfjs-cpu",
  "jax-js-webgpu",
  "jax-js-wasm",
  "borch-webgpu",
] as const;

export type SystemName = (typeof SYSTEM_NAMES)[number];

/** Batches in the data that every system holds on its device. */
export const BATCHES = 16;
/** Side of MNIST's images, and their pixels. */
export const SIDE = 28;
export const PIXELS = SIDE * SIDE;
export const CLASSES = 10;
export const LEARNING_RATE = 0.01;
/** Bytes before the data in MNIST's IDX files. */
export const IMAGES_AT = 16;
export const LABELS_AT = 8;

export interface BenchData {
  readonly network: NetworkSpec;
  /** At least BATCHES batches of images as bytes, of the network's input each, and their classes. */
  readonly images: Uint8Array<ArrayBuffer>;
  readonly labels: Uint8Array<ArrayBuffer>;
  /** Weights in the order of the layers and in Keras's layouts: HWIO, [in, out]. */
  readonly weights: readonly Float32Array<ArrayBuffer>[];
}

/** Consecutive batches, `epochs` times over. */
export interface Group {
  readonly first: number;
  readonly steps: number;
  readonly epochs: number;
}

export interface System {
  /** Untimed: what a training run has ready before its first step, for this group. */
  prepare?(group: Group): Promise<void>;
  /**
   * Trains a group and resolves when the device is done with it. Returns one loss of the group's last epoch: its mean or
   * its last step's, whichever the library gives; of a single step they are the same. It is the only read of the group.
   */
  train(group: Group): Promise<number>;
  /** Untimed: what an app has ready once its model is trained, for inferences of this batch size. */
  prepareInfer?(batch: number): Promise<void>;
  /** Probabilities of the first `batch` images, from bytes in JavaScript to numbers in JavaScript. */
  infer(batch: number): Promise<Float32Array>;
  /** Bytes on the GPU by the library's own account, where WebGPU's ledger cannot see them. */
  gpuBytes?(): number;
  dispose(): void;
}

export type Setup = (data: BenchData) => Promise<System>;

/** The images of `count` batches from `first` on. */
export function imagesOf({ images, network }: BenchData, first: number, count: number): Uint8Array<ArrayBuffer> {
  const bytes = network.batch * product(network.input);
  return images.subarray(first * bytes, (first + count) * bytes);
}

/** Their classes. */
export function labelsOf({ labels, network }: BenchData, first: number, count: number): Uint8Array<ArrayBuffer> {
  return labels.subarray(first * network.batch, (first + count) * network.batch);
}

/**
 * Pixels in [0, 1], as every library but ours wants them. By a plain loop: `Float32Array.from` with a function takes
 * milliseconds for a batch, more than its inference on a GPU.
 */
export function scaled(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const pixels = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) pixels[i] = bytes[i]! / 255;
  return pixels;
}

/** One-hot labels of `count` batches from `first` on. */
export function oneHotOf(data: BenchData, first: number, count: number): Float32Array<ArrayBuffer> {
  const labels = labelsOf(data, first, count);
  const rows = new Float32Array(labels.length * CLASSES);
  labels.forEach((label, i) => {
    rows[i * CLASSES + label] = 1;
  });
  return rows;
}

/** The first images. */
export function firstImages({ images, network }: BenchData, count: number): Uint8Array<ArrayBuffer> {
  return images.subarray(0, count * product(network.input));
}
