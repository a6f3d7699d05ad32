// What all systems train on: MNIST's images, made to fit the network, and weights by the closed formula.

import { goldenWeights } from "../cli/keras/formula.ts";
import { product, type WeightSpec, weightSpecs } from "./arithmetic.ts";
import { NETWORKS, type NetworkName, type NetworkSpec } from "./networks.ts";
import { BATCHES, type BenchData, SIDE } from "./systems/system.ts";

/** MNIST's training images and their classes, from the first on. */
export type LoadMnist = (samples: number) => Promise<{
  images: Uint8Array<ArrayBuffer>;
  labels: Uint8Array<ArrayBuffer>;
}>;

export async function dataOf(load: LoadMnist, name: NetworkName): Promise<BenchData> {
  const network = NETWORKS[name];
  const { images, labels } = await load(BATCHES * network.batch);
  if (images.length !== labels.length * SIDE * SIDE) throw new Error("MNIST's images and labels differ in number.");
  return { network, images: fitted(images, network), labels, weights: initialWeights(weightSpecs(network)) };
}

/** Kernels and biases by the closed formula; scales near 1, means of 0 and variances of 1. */
export function initialWeights(specs: readonly WeightSpec[]): Float32Array<ArrayBuffer>[] {
  return goldenWeights(specs).map((values, i) => {
    const { role } = specs[i]!;
    if (role === "gamma") return values.map((value) => 1 + value);
    return role === "mean" || role === "variance" ? values.fill(role === "mean" ? 0 : 1) : values;
  });
}

/** Digits in the middle of larger images. Each further channel has them a pixel further to the right. */
export function fitted(digits: Uint8Array<ArrayBuffer>, { input }: NetworkSpec): Uint8Array<ArrayBuffer> {
  const [height, width, channels] = input;
  if (height === SIDE && width === SIDE && channels === 1) return digits;
  const [top, left] = [(height - SIDE) >> 1, (width - SIDE) >> 1];
  const images = new Uint8Array((digits.length / SIDE / SIDE) * product(input));
  for (let at = 0; at < digits.length; at++) {
    const [image, row, column] = [Math.floor(at / SIDE / SIDE), Math.floor(at / SIDE) % SIDE, at % SIDE];
    for (let channel = 0; channel < channels; channel++) {
      const x = (left + column + channel) % width;
      images[((image * height + top + row) * width + x) * channels + channel] = digits[at]!;
    }
  }
  return images;
}
