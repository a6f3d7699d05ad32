import { afterAll, beforeAll, expect, it } from "vitest";
import { createRuntime, getHyperparameters, type Runtime, setHyperparameters, sgd } from "../../src/index.ts";
import { momentumSgd } from "../support/extension.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const { x, y } = noise(12, [4], 3);
const options = { batchSize: 4, verbose: 0, stepsPerExecution: 1 } as const;

async function compiled(optimizer = sgd({ learningRate: 0.1 })) {
  const model = tinyModel();
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime });
  return model;
}

it("change between epochs as if compiled so, by one write and nothing else", async () => {
  const rates = [0.1, 0.02, 0.5];
  const scheduled = await compiled();
  const onEpochBegin = (epoch: number) => setHyperparameters(scheduled, { learningRate: rates[epoch]! });
  await scheduled.fit(x, y, { ...options, epochs: 3, callbacks: [{ onEpochBegin }] });
  expect(await getHyperparameters(scheduled)).toEqual({ learningRate: 0.5 });

  const again = await compiled();
  for (const learningRate of rates) {
    // Compiled anew, a model keeps its weights and goes on to the next order.
    await again.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd({ learningRate }), runtime });
    await again.fit(x, y, options);
  }
  expect(await allWeights(scheduled)).toEqual(await allWeights(again));

  const ledger = new Ledger(runtime.device);
  await setHyperparameters(scheduled, { learningRate: 0.3 });
  expect(ledger.take()).toMatchObject({ writeBuffer: 1, submit: 0, createBuffer: 0, createComputePipelineAsync: 0 });
  ledger.stop();
  scheduled.dispose();
  again.dispose();
});

it("change within an epoch from the next submit on: at 0 the weights stay", async () => {
  const model = await compiled(momentumSgd(0.1, 0));
  const seen: number[][] = [];
  const onTrainBatchEnd = async () => {
    await setHyperparameters(model, { learningRate: 0 });
    seen.push(await allWeights(model));
  };
  await model.fit(x, y, { ...options, callbacks: [{ onTrainBatchEnd }] });
  expect(seen.at(-1)).toEqual(await allWeights(model));
  expect(seen.length).toBeGreaterThan(1);
  expect(await getHyperparameters(model)).toEqual({ learningRate: 0, momentum: 0 });
  model.dispose();
});

it("are checked, all before any is changed", async () => {
  const model = await compiled(momentumSgd(0.1, 0.9));
  const set = (values: Record<string, number>) => setHyperparameters(model, values);
  await expect(set({ rate: 1 })).rejects.toThrow(
    'optimizer "momentumSgd" has no option "rate". It takes: learningRate, momentum.',
  );
  await expect(set({ momentum: 0.5, learningRate: -1 })).rejects.toThrow(/learningRate must be .*at least 0, got -1/);
  await expect(set({ learningRate: Number.NaN })).rejects.toMatchObject({ code: "value" });
  expect(await getHyperparameters(model)).toEqual({ learningRate: 0.1, momentum: 0.9 });
  model.dispose();
  await expect(set({ learningRate: 1 })).rejects.toMatchObject({ code: "state" });
  await expect(getHyperparameters(tinyModel())).rejects.toThrow(/getHyperparameters cannot go on: await model.compile/);
});
