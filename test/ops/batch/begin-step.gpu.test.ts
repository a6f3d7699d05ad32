import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seedOf } from "../../../src/base/random.ts";
import { readBuffers } from "../../../src/gpu/readback.ts";
import { sweepState } from "../../../src/graph/step-state.ts";
import { createDataset, createRuntime, createTrainingRecorder, type Runtime, sgd } from "../../../src/index.ts";
import { shuffleLayout } from "../../../src/ops/batch/begin-step.ts";
import { feistelOrder } from "../../reference/permutation.ts";
import { noise, tinyModel } from "../../support/models.ts";

// How a step begins that an app's encoder runs: test/record has what such steps do.

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

/** Orders of a recorder's epochs, read from its buffer. */
async function ordersOf(samples: number, batchSize: number, epochs: number, shuffle: boolean, seed: number) {
  const model = tinyModel();
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime });
  const dataset = await createDataset(runtime, noise(samples, [4], 3));
  const { device } = runtime;
  const original = device.createBuffer;
  let order: GPUBuffer | undefined;
  device.createBuffer = function (descriptor) {
    const buffer = original.call(this, descriptor);
    if (descriptor.label === "recorded order") order = buffer;
    return buffer;
  };
  const training = await createTrainingRecorder(model, dataset, { batchSize, shuffle, seed });
  device.createBuffer = original;
  const orders = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const encoder = device.createCommandEncoder();
    training.record(encoder, { steps: Math.ceil(samples / batchSize) });
    device.queue.submit([encoder.finish()]);
    const [bytes] = await readBuffers(runtime, [{ buffer: order!, bytes: samples * 4 }]);
    orders.push([...new Uint32Array(bytes!)]);
  }
  for (const disposable of [dataset, model]) disposable.dispose();
  return orders;
}

describe("the order", () => {
  it.each([
    [1, 1],
    [2, 1],
    [7, 3],
    [16, 1],
    [65, 64],
    [300, 100],
  ])("of %i samples in batches of %i is new in each epoch, and the seed's", async (samples, batchSize) => {
    const orders = await ordersOf(samples, batchSize, 3, true, 11);
    const want = [0, 1, 2].map((epoch) => feistelOrder(samples, seedOf(11, 0x0eca, epoch)));
    expect(orders).toEqual(want);
    const lying = Array.from({ length: samples }, (_, i) => i);
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(lying);
    if (samples > 10) expect(new Set(orders.map(String)).size).toBe(3);
    expect(await ordersOf(samples, batchSize, 2, false, 11)).toEqual([lying, lying]);
  });
});

it("a state's words and the shuffle's are those of their structs", () => {
  expect([...sweepState({ step: 4, samples: 10, batch: 3 })]).toEqual([4, 0, 10, 3, 3]);
  expect([...shuffleLayout().write({ key: 7, epoch: 2 })]).toEqual([7, 2]);
});
