// Batches of noise, streams of them, and a model that trains on them.

import { dense, type Runtime, type Sequential, type StreamBatch, sequential, sgd, tensor } from "../../src/index.ts";
import { noise } from "./models.ts";

export const [INPUTS, CLASSES] = [5, 3];

export async function compiledOn(runtime: Runtime): Promise<Sequential> {
  const model = sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [INPUTS] })]);
  const optimizer = sgd({ learningRate: 0.5, momentum: 0.9 });
  await model.compile({ loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], optimizer, runtime });
  return model;
}

/** Batches of these sizes, of noise. */
export const batchesOf = (...sizes: number[]) => sizes.map((size, i) => noise(size, [INPUTS], CLASSES, i + 1));
export type Batch = ReturnType<typeof noise>;
export function* sync(batches: readonly Batch[], weights?: readonly number[][]): Generator<StreamBatch> {
  for (const [i, { x, y }] of batches.entries()) yield weights ? [x, y, weights[i]!] : [x, y];
}
export async function* later(batches: readonly Batch[]) {
  for (const { x, y } of batches) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    yield { x, y };
  }
}
/** All samples of the batches, as one. */
export function joined(batches: readonly Batch[]) {
  const x = batches.flatMap(({ x }) => [...x.data]);
  const y = batches.flatMap(({ y }) => Array.from((y as { data: ArrayLike<number> }).data));
  return { x: tensor(Float32Array.from(x), [y.length, INPUTS]), y };
}
