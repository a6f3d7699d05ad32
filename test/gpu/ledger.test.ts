import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDataset, createRuntime, type Runtime, sequential, sgd } from "../../src/index.ts";
import { Ledger } from "../support/ledger.ts";
import { articleLayers, noise, tinyModel } from "../support/models.ts";

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

describe("the article's network", () => {
  it("takes 16 dispatches a step, and the ledger sees as many", async () => {
    const model = sequential(articleLayers());
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const { x, y } = noise(2, [28, 28, 1], 10);
    const ledger = new Ledger(runtime.device);
    await model.fit(x, y, { batchSize: 1, verbose: 0, stepsPerExecution: 1 });
    const { dispatchWorkgroups } = ledger.take();
    ledger.stop();
    expect(dispatchWorkgroups).toBe(2 * 16);
    expect(model.stats()).toMatchObject({ dispatchesPerStep: 16, steps: 2, submits: 2, readbacks: 1 });
    model.dispose();
  });
});
