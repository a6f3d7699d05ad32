import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  classWeights,
  createDataset,
  createRuntime,
  createTrainingRecorder,
  type Dataset,
  dense,
  type Runtime,
  restore,
  sequential,
  sgd,
  snapshot,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights } from "../support/models.ts";

let runtime: Runtime;
let dataset: Dataset;
const [SAMPLES, INPUTS, CLASSES] = [13, 3, 4];
const bytes = Uint8Array.from(randomArray(SAMPLES * INPUTS, 1), (value) => 128 + 100 * value);
const labels = [3, 0, 2, 1, 0, 3, 2, 1, 1, 0, 2, 3, 0];
const sampleWeight = labels.map((label, i) => 0.5 + ((label + i) % 3));
beforeAll(async () => {
  runtime = await createRuntime();
  dataset = await createDataset(runtime, { x: tensor(bytes, [SAMPLES, INPUTS]), y: labels, sampleWeight });
});
afterAll(() => {
  dataset.dispose();
  runtime.dispose();
});

/** The same samples as arrays. */
function arraysOf({ order }: Dataset) {
  const rows = [...order!];
  const x = rows.map((row) => bytes.slice(row * INPUTS, (row + 1) * INPUTS));
  return { x, y: rows.map((row) => labels[row]!), sampleWeight: rows.map((row) => sampleWeight[row]!) };
}

async function compiled() {
  const model = sequential([dense({ units: CLASSES, activation: "softmax", inputShape: [INPUTS] })]);
  const optimizer = sgd({ learningRate: 1e-4 });
  await model.compile({ loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], optimizer, runtime });
  return model;
}

const options = { batchSize: 4, epochs: 2, verbose: 0 } as const;

describe("a part of a data set", () => {
  it("trains, validates, evaluates and predicts to the bits of arrays of its samples", async () => {
    const [train, test] = dataset.split({ at: 0.6, seed: 5 });
    const [got, want] = [await compiled(), await compiled()];
    const [trained, held] = [arraysOf(train), arraysOf(test)];
    const { history } = await got.fit(train, { ...options, validationData: test });
    const { x, y, sampleWeight } = trained;
    const validationData = [held.x, held.y, held.sampleWeight] as const;
    const expected = await want.fit(x, y, { ...options, sampleWeight, validationData });
    expect(history).toEqual(expected.history);
    expect(await allWeights(got)).toEqual(await allWeights(want));
    const batches = { batchSize: 4 };
    expect(await got.evaluate(test, batches)).toEqual(
      await want.evaluate(held.x, held.y, { ...batches, sampleWeight: held.sampleWeight }),
    );
    expect(await got.evaluate(dataset, batches)).toEqual(await want.evaluate(dataset, batches));
    const { data, shape } = await got.predict(test, batches);
    expect(shape).toEqual([test.size, CLASSES]);
    expect(data).toEqual((await want.predict(held.x, batches)).data);
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("may repeat samples, and have weights of classes", async () => {
    const part = dataset.skip(9).repeat(2).concat(dataset.take(1));
    const [got, want] = [await compiled(), await compiled()];
    const classWeight = classWeights({ 0: 3, 2: 0.5 });
    const { x, y, sampleWeight } = arraysOf(part);
    await got.fit(part, { ...options, classWeight });
    await want.fit(x, y, { ...options, sampleWeight, classWeight });
    expect(await allWeights(got)).toEqual(await allWeights(want));
    for (const disposable of [got, want]) disposable.dispose();
  });

  it("makes no buffer when it is evaluated again, and leaves none behind", async () => {
    const model = await compiled();
    const part = dataset.take(7);
    await model.evaluate(part);
    const before = runtime.memory.bytes;
    const ledger = new Ledger(runtime.device);
    await model.evaluate(part);
    expect(ledger.take()).toMatchObject({ createBuffer: 0, createComputePipelineAsync: 0, submit: 1 });
    ledger.stop();
    part.dispose();
    await new Promise((resolve) => setTimeout(resolve));
    expect(runtime.memory.bytes).toBe(before - 7 * 4);
    await expect(model.evaluate(part)).rejects.toThrow(/The data set was disposed/);
    model.dispose();
  });

  it("goes on from a snapshot, on the same part only", async () => {
    const part = dataset.split({ at: 9, seed: 2 })[0];
    const [want, got] = [await compiled(), await compiled()];
    await want.fit(part, options);
    await got.fit(part, { ...options, epochs: 1 });
    const taken = await snapshot(got);
    const other = await compiled();
    await restore(other, taken);
    await expect(other.fit(dataset, { epochs: 2, resume: true, verbose: 0 })).rejects.toThrow(/resume: data was/);
    await other.fit(part, { epochs: 2, resume: true, verbose: 0 });
    expect(await allWeights(other)).toEqual(await allWeights(want));
    for (const disposable of [want, got, other]) disposable.dispose();
  });

  it("is refused by a training recorder", async () => {
    const model = await compiled();
    await expect(createTrainingRecorder(model, dataset.take(3))).rejects.toThrow(
      /must be a whole data set, not a part/,
    );
    model.dispose();
  });
});
