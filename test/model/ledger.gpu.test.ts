import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDataset, createRuntime, type Runtime, sequential, sgd } from "../../src/index.ts";
import { DIRECT } from "../support/choices.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, articleLayers, noise, tinyModel } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

/** What steps cost beyond those that every epoch costs: an epoch of many steps less one of few. */
async function differenceOf(steps: number, stepsPerExecution: number) {
  const model = tinyModel();
  await model.compile({ ...settings, optimizer: sgd(), runtime });
  const few = noise(4 * 4, [4], 3);
  const many = noise((4 + steps) * 4, [4], 3);
  const [short, long] = [await createDataset(runtime, few), await createDataset(runtime, many)];
  const options = { batchSize: 4, verbose: 0, stepsPerExecution } as const;
  await model.fit(short, options); // compiles
  const ledger = new Ledger(runtime.device);
  await model.fit(short, options);
  const base = ledger.take();
  await model.fit(long, options);
  const calls = ledger.take();
  ledger.stop();
  for (const disposable of [short, long, model]) disposable.dispose();
  return Object.fromEntries(
    Object.entries(calls).map(([name, count]) => [name, count - base[name as keyof typeof base]]),
  );
}

describe("a steady training step", () => {
  it("makes nothing and writes nothing; one submit and one pass, and far fewer readbacks", async () => {
    const cost = await differenceOf(64, 1);
    expect(cost).toMatchObject({
      createBuffer: 0,
      createBindGroup: 0,
      createShaderModule: 0,
      createComputePipelineAsync: 0,
      writeBuffer: 0,
      submit: 64,
      beginComputePass: 64,
    });
    expect(cost.mapAsync).toBeLessThanOrEqual(64 / 16);
    expect(cost.copyBufferToBuffer).toBe(cost.mapAsync);
  });

  it("shares its submit and its pass with others where asked to", async () => {
    const cost = await differenceOf(64, 16);
    expect(cost).toMatchObject({ submit: 4, beginComputePass: 4, writeBuffer: 0, createBindGroup: 0 });
  });
});

/** Submits of an epoch of 320 steps, once an epoch has warmed the device up. */
async function submitsOf(options: { software: boolean; submitMs?: number }) {
  const { software, ...fitOptions } = options;
  const pretended = await createRuntime();
  Object.defineProperty(pretended, "adapter", { value: { ...pretended.adapter, software } });
  const model = tinyModel();
  await model.compile({ ...settings, optimizer: sgd(), runtime: pretended });
  const dataset = await createDataset(pretended, noise(320 * 4, [4], 3));
  const epoch = () => model.fit(dataset, { batchSize: 4, verbose: 0, ...fitOptions });
  await epoch();
  const ledger = new Ledger(pretended.device);
  await epoch();
  const { submit, mapAsync } = ledger.take();
  ledger.stop();
  const { stepsPerSubmit } = model.stats();
  for (const disposable of [dataset, model, pretended]) disposable.dispose();
  return { submit, mapAsync, stepsPerSubmit };
}

describe("an epoch of 320 short steps, by default", () => {
  it("is at most a submit in 16 steps on a GPU where throughput comes first, and a few reads", async () => {
    const { submit, mapAsync, stepsPerSubmit } = await submitsOf({ software: false, submitMs: 250 });
    expect(submit).toBeLessThanOrEqual(320 / 16);
    expect(mapAsync).toBeLessThanOrEqual(320 / 16);
    expect(stepsPerSubmit).toBeGreaterThanOrEqual(16);
  });

  it("is a submit a step on a software adapter", async () => {
    expect(await submitsOf({ software: true, submitMs: 250 })).toMatchObject({ submit: 320, stepsPerSubmit: 1 });
  });
});

describe("trainOnBatch", () => {
  it("once warm, makes nothing, writes samples and labels, submits once and reads once", async () => {
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const [batch, next, small] = [noise(6, [4], 3), noise(6, [4], 3, 2), noise(4, [4], 3, 3)];
    await model.trainOnBatch(batch.x, batch.y);
    const ledger = new Ledger(runtime.device);
    for (const { x, y } of [next, batch, next]) await model.trainOnBatch(x, y);
    const none = { createBuffer: 0, createBindGroup: 0, createShaderModule: 0, createComputePipelineAsync: 0 };
    expect(ledger.take()).toMatchObject({ ...none, writeBuffer: 2 * 3, submit: 3, beginComputePass: 3, mapAsync: 3 });
    // Fewer samples fit into the same buffers; how many they are is written once.
    for (const { x, y } of [small, small]) await model.trainOnBatch(x, y);
    expect(ledger.take()).toMatchObject({ ...none, writeBuffer: 2 * 2 + 1, submit: 2 });
    ledger.stop();
    expect(model.stats()).toMatchObject({ steps: 6, submits: 6, readbacks: 6 });
    model.dispose();
  });

  it("computes what fit does on the same batches, whatever came before", async () => {
    const [one, two] = [tinyModel(), tinyModel()];
    const batches = [6, 4, 6, 9, 3].map((size, i) => noise(size, [4], 3, i + 1));
    for (const model of [one, two]) await model.compile({ ...settings, optimizer: sgd(), runtime });
    for (const { x, y } of batches) {
      const { loss, accuracy } = await one.trainOnBatch(x, y);
      const { history } = await two.fit(x, y, { batchSize: 16, shuffle: false, verbose: 0 });
      expect([loss, accuracy]).toEqual([history.loss[0], history.accuracy![0]]);
    }
    expect(await allWeights(one)).toEqual(await allWeights(two));
    one.dispose();
    two.dispose();
  });
});

describe("predict", () => {
  it("of one batch makes nothing once warm, writes the samples, submits once and reads once", async () => {
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const [three, other, two] = [noise(3, [4], 3).x, noise(3, [4], 3, 2).x, noise(2, [4], 3, 3).x];
    const before = await model.predict(three);
    const ledger = new Ledger(runtime.device);
    const again = [await model.predict(other), await model.predict(three)];
    const none = { createBuffer: 0, createBindGroup: 0, createShaderModule: 0, createComputePipelineAsync: 0 };
    expect(ledger.take()).toMatchObject({ ...none, writeBuffer: 2, submit: 2, beginComputePass: 2, mapAsync: 2 });
    const fewer = await model.predict(two);
    expect(ledger.take()).toMatchObject({ ...none, writeBuffer: 2, submit: 1 });
    ledger.stop();
    expect(again[1]).toEqual(before);
    expect(fewer.shape).toEqual([2, 3]);
    // A data set takes the way of large predictions.
    for (const [x, got] of [[other, again[0]!] as const, [two, fewer] as const]) {
      const dataset = await createDataset(runtime, { x });
      expect(got).toEqual(await model.predict(dataset));
      dataset.dispose();
    }
    model.dispose();
  });

  it("called several times at once gives each call its own samples' outputs", async () => {
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const inputs = [1, 2, 3, 4].map((seed) => noise(2, [4], 3, seed).x);
    const alone = [];
    for (const x of inputs) alone.push(await model.predict(x));
    expect(await Promise.all(inputs.map((x) => model.predict(x)))).toEqual(alone);
    expect(new Set(alone.map(({ data }) => data.join())).size).toBe(4);
    model.dispose();
  });
});

describe("the article's network", () => {
  it("takes 16 dispatches a step directly, fewer where a GPU's are merged, and the ledger sees as many", async () => {
    const model = sequential(articleLayers());
    await model.compile({ ...settings, optimizer: sgd(), runtime, choices: DIRECT });
    const { x, y } = noise(2, [28, 28, 1], 10);
    const ledger = new Ledger(runtime.device);
    await model.fit(x, y, { batchSize: 1, verbose: 0, stepsPerExecution: 1 });
    const { dispatchWorkgroups } = ledger.take();
    ledger.stop();
    const { dispatchesPerStep, ...stats } = model.stats();
    expect(dispatchWorkgroups).toBe(2 * dispatchesPerStep);
    if (runtime.adapter.software) expect(dispatchesPerStep).toBe(16);
    else {
      const { maxStorageBuffersPerShaderStage } = runtime.device.limits;
      expect(dispatchesPerStep).toBeLessThanOrEqual(maxStorageBuffersPerShaderStage >= 10 ? 12 : 14);
    }
    expect(stats).toMatchObject({ steps: 2, submits: 2, readbacks: 1 });
    model.dispose();
  });
});
