// What the benches of our own figures train on: MNIST's images, and weights by the closed formula.

import { goldenWeights } from "../../cli/keras/formula.ts";
import { NETWORKS, type NetworkName, weightShapes } from "../networks.ts";
import { BATCHES, type BenchData, PIXELS } from "../systems/system.ts";

/** MNIST's training images and their classes, from the first on. */
export type LoadMnist = (samples: number) => Promise<{
  images: Uint8Array<ArrayBuffer>;
  labels: Uint8Array<ArrayBuffer>;
}>;

export async function dataOf(load: LoadMnist, name: NetworkName): Promise<BenchData> {
  const network = NETWORKS[name];
  const { images, labels } = await load(BATCHES * network.batch);
  if (images.length !== labels.length * PIXELS) throw new Error("MNIST's images and labels differ in number.");
  return { network, images, labels, weights: goldenWeights(weightShapes(network).map((shape) => ({ shape }))) };
}
