import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBuffers } from "../../src/gpu/readback.ts";
import {
  adam,
  conv2d,
  createDataset,
  createInferenceRecorder,
  createRuntime,
  createTrainingRecorder,
  dense,
  dropout,
  flatten,
  type Model,
  type Optimizer,
  outputsOf,
  type Runtime,
  restore,
  sequential,
  setHyperparameters,
  sgd,
  snapshot,
  tensor,
} from "../../src/index.ts";
import { randomArray } from "../reference/random.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const STORAGE = 0x80 | 0x4 | 0x8;

function submit(record: (encoder: GPUCommandEncoder) => void): void {
  const encoder = runtime.device.createCommandEncoder();
  record(encoder);
  runtime.device.queue.submit([encoder.finish()]);
}

function inPass(record: (pass: GPUComputePassEncoder) => void): void {
  submit((encoder) => {
    const pass = encoder.beginComputePass();
    record(pass);
    pass.end();
  });
}

async function ready(model = tinyModel(), optimizer: () => Optimizer = sgd): Promise<Model> {
  await model.compile({
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
    optimizer: optimizer(),
    runtime,
    seed: 3,
  });
  return model;
}

/** With dropout and Adam, so that every step depends on its number. */
const dependent = () =>
  sequential([
    conv2d({ filters: 2, kernelSize: 3, activation: "relu", inputShape: [4, 4, 1] }),
    flatten(),
    dropout({ rate: 0.3 }),
    dense({ units: 3, activation: "softmax" }),
  ]);

describe("training steps in an app's commands", () => {
  it("give the bits of fit, figures too, across epochs and short batches, in whatever pieces they come", async () => {
    const [one, other] = [await ready(dependent(), adam), await ready(dependent(), adam)];
    const dataset = await createDataset(runtime, noise(10, [4, 4, 1], 3));
    const { history } = await one.fit(dataset, { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 });
    const training = await createTrainingRecorder(other, dataset, { batchSize: 4 });
    const figures = [];
    // An epoch is three steps, the last of two samples.
    submit((encoder) => training.record(encoder, { steps: 3 }));
    figures.push(await training.read());
    inPass((pass) => {
      training.record(pass);
      training.record(pass, { steps: 2 });
    });
    figures.push(await training.read());
    submit((encoder) => training.record(encoder, { steps: 2 }));
    submit((encoder) => training.record(encoder));
    figures.push(await training.read());
    expect(await allWeights(other)).toEqual(await allWeights(one));
    expect(figures.map(({ logs }) => logs.loss)).toEqual(history.loss);
    expect(figures.map(({ logs }) => logs.accuracy)).toEqual(history.accuracy);
    expect(figures.map(({ samples, badStep }) => [samples, badStep])).toEqual([10, 10, 10].map((n) => [n, 0]));
    // The optimizer's number of steps has moved on with them: what fit does next is the same.
    const more = { batchSize: 5, shuffle: false, verbose: 0 } as const;
    await one.fit(dataset, more);
    await other.fit(dataset, more);
    expect(await allWeights(other)).toEqual(await allWeights(one));
    for (const disposable of [training, dataset, one, other]) disposable.dispose();
  });

  it("take the numbers that the app's own commands have written, from step to step", async () => {
    const [one, other] = [await ready(), await ready()];
    const batches = [1, 2, 3].map((seed) => noise(4, [4], 3, seed));
    const [x, y] = [64, 16].map((size) => runtime.device.createBuffer({ size, usage: STORAGE }));
    const dataset = await createDataset(runtime, {
      x: { buffer: x!, shape: [4, 4] },
      y: { buffer: y!, shape: [4], dtype: "u32" },
    });
    const training = await createTrainingRecorder(other, dataset, { batchSize: 4 });
    for (const batch of batches) {
      await one.trainOnBatch(batch.x, batch.y);
      runtime.device.queue.writeBuffer(x!, 0, batch.x.data as Float32Array<ArrayBuffer>);
      runtime.device.queue.writeBuffer(y!, 0, Uint32Array.from(batch.y.data));
      submit((encoder) => training.record(encoder));
    }
    expect(await allWeights(other)).toEqual(await allWeights(one));
    for (const buffer of [x, y]) buffer!.destroy();
    for (const disposable of [training, dataset, one, other]) disposable.dispose();
  });

  it("of two recorders in one encoder each go through their own data", async () => {
    const [one, other] = [await ready(), await ready()];
    const sets = [];
    for (const [samples, seed] of [[5, 1] as const, [3, 2] as const])
      sets.push(await createDataset(runtime, noise(samples, [4], 3, seed)));
    for (let epoch = 0; epoch < 2; epoch++)
      for (const set of sets) await one.fit(set, { batchSize: 8, shuffle: false, verbose: 0 });
    const [a, b] = [await createTrainingRecorder(other, sets[0]!), await createTrainingRecorder(other, sets[1]!)];
    submit((encoder) => {
      for (let epoch = 0; epoch < 2; epoch++) for (const training of [a, b]) training.record(encoder);
    });
    expect(await allWeights(other)).toEqual(await allWeights(one));
    expect([(await a.read()).samples, (await b.read()).samples]).toEqual([10, 6]);
    for (const disposable of [a, b, ...sets, one, other]) disposable.dispose();
  });

  it("are followed by an inference that sees them, in one encoder", async () => {
    const model = await ready();
    const dataset = await createDataset(runtime, noise(4, [4], 3));
    const training = await createTrainingRecorder(model, dataset);
    const inference = await createInferenceRecorder(model);
    const x = Float32Array.from(randomArray(4, 5));
    const source = runtime.device.createBuffer({ size: 16, usage: STORAGE });
    const outputs = [1, 2].map(() => runtime.device.createBuffer({ size: 12, usage: STORAGE }));
    runtime.device.queue.writeBuffer(source, 0, x);
    const before = [...(await model.predict(tensor(x, [1, 4]))).data];
    submit((encoder) => {
      inference.record(encoder, { input: source, output: outputs[0]! });
      training.record(encoder, { steps: 5 });
      inference.record(encoder, { input: source, output: outputs[1]! });
    });
    const read = await readBuffers(
      runtime,
      outputs.map((buffer) => ({ buffer, bytes: 12 })),
    );
    const [first, second] = read.map((bytes) => [...new Float32Array(bytes)]);
    expect(first).toEqual(before);
    expect(second).toEqual([...(await model.predict(tensor(x, [1, 4]))).data]);
    expect(second).not.toEqual(before);
    for (const buffer of [source, ...outputs]) buffer.destroy();
    for (const disposable of [training, dataset, model]) disposable.dispose();
  });

  it("that are never submitted train nothing, and lose no sample", async () => {
    const [one, other] = [await ready(), await ready()];
    const dataset = await createDataset(runtime, noise(6, [4], 3));
    await one.fit(dataset, { batchSize: 2, shuffle: false, verbose: 0 });
    const training = await createTrainingRecorder(other, dataset, { batchSize: 2 });
    submit((encoder) => training.record(encoder));
    training.record(runtime.device.createCommandEncoder(), { steps: 2 });
    submit((encoder) => training.record(encoder, { steps: 2 }));
    expect(await allWeights(other)).toEqual(await allWeights(one));
    for (const disposable of [training, dataset, one, other]) disposable.dispose();
  });

  it("make nothing, write nothing and submit nothing", async () => {
    const model = await ready();
    const dataset = await createDataset(runtime, noise(6, [4], 3));
    const training = await createTrainingRecorder(model, dataset, { batchSize: 2, shuffle: true });
    const encoder = runtime.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const ledger = new Ledger(runtime.device);
    training.record(pass, { steps: 7 });
    const { dispatchWorkgroups, ...others } = ledger.take();
    ledger.stop();
    expect(dispatchWorkgroups).toBe(7 * training.dispatches);
    expect(Object.entries(others).filter(([, count]) => count > 0)).toEqual([]);
    pass.end();
    await model.fit(dataset, { batchSize: 2, verbose: 0 });
    expect(training.dispatches).toBe(model.stats().dispatchesPerStep + 1);
    for (const disposable of [training, dataset, model]) disposable.dispose();
  });

  it("follow hyperparameters, and are in snapshots", async () => {
    const [one, other] = [await ready(dependent(), adam), await ready(dependent(), adam)];
    const dataset = await createDataset(runtime, noise(4, [4, 4, 1], 3));
    const training = await createTrainingRecorder(one, dataset);
    submit((encoder) => training.record(encoder, { steps: 2 }));
    await setHyperparameters(one, { learningRate: 0.1 });
    submit((encoder) => training.record(encoder));
    await restore(other, await snapshot(one));
    expect(await allWeights(other)).toEqual(await allWeights(one));
    const elsewhere = await createTrainingRecorder(other, dataset);
    submit((encoder) => {
      training.record(encoder, { steps: 2 });
      elsewhere.record(encoder, { steps: 2 });
    });
    const weights = await allWeights(one);
    expect(await allWeights(other)).toEqual(weights);
    const rates = await ready(dependent(), adam);
    const slow = await createTrainingRecorder(rates, dataset);
    submit((encoder) => slow.record(encoder, { steps: 5 }));
    expect(await allWeights(rates)).not.toEqual(weights);
    for (const disposable of [dataset, one, other, rates]) disposable.dispose();
  });

  it("scale bytes, and predictions of bytes are scaled alike afterwards", async () => {
    const [one, other] = [await ready(), await ready()];
    const bytes = Uint8Array.from({ length: 8 }, (_, i) => (i * 37) % 256);
    const x = tensor(bytes, [2, 4], { scale: 1 / 255 });
    const { y } = noise(2, [4], 3);
    await one.fit(x, y, { verbose: 0, shuffle: false });
    const dataset = await createDataset(runtime, { x, y });
    const training = await createTrainingRecorder(other, dataset);
    submit((encoder) => training.record(encoder));
    expect(await allWeights(other)).toEqual(await allWeights(one));
    const bare = tensor(bytes, [2, 4]);
    expect((await other.predict(bare)).data).toEqual((await one.predict(bare)).data);
    for (const disposable of [dataset, one, other]) disposable.dispose();
  });
});

describe("figures", () => {
  it("are of the steps since the last read; reads at once take turns", async () => {
    const model = await ready();
    const dataset = await createDataset(runtime, noise(6, [4], 3));
    const training = await createTrainingRecorder(model, dataset, { batchSize: 2 });
    const none = await training.read();
    expect(none).toMatchObject({ samples: 0, badStep: 0, logs: { loss: Number.NaN } });
    submit((encoder) => training.record(encoder, { steps: 2 }));
    const figures = await Promise.all([training.read(), training.read(), training.read()]);
    expect(figures.map(({ samples }) => samples)).toEqual([4, 0, 0]);
    expect(Object.keys(figures[0]!.logs)).toEqual(["loss", "accuracy"]);
    // Those of fit and evaluate are not touched, nor do they touch these.
    submit((encoder) => training.record(encoder));
    await model.evaluate(dataset);
    const { history } = await model.fit(dataset, { verbose: 0 });
    expect(history.loss).toHaveLength(1);
    expect((await training.read()).samples).toBe(2);
    for (const disposable of [dataset, model]) disposable.dispose();
  });

  it("tell of the first step whose loss is a NaN", async () => {
    const model = await ready();
    const values = noise(6, [4], 3);
    (values.x.data as Float32Array)[4 * 4] = Number.NaN;
    const dataset = await createDataset(runtime, values);
    const training = await createTrainingRecorder(model, dataset, { batchSize: 2 });
    submit((encoder) => training.record(encoder, { steps: 3 }));
    expect(await training.read()).toMatchObject({ badStep: 3, logs: { loss: Number.NaN } });
    for (const disposable of [dataset, model]) disposable.dispose();
  });
});

describe("beside fit", () => {
  it("is refused while fit runs; submitted meanwhile, it disturbs neither fit's place nor its figures", async () => {
    const [one, other] = [await ready(), await ready()];
    const dataset = await createDataset(runtime, noise(8, [4], 3));
    const still = await createDataset(runtime, noise(3, [4], 3, 9));
    const refused: unknown[] = [];
    const options = { batchSize: 2, shuffle: false, verbose: 0, stepsPerExecution: 1 } as const;
    await setHyperparameters(one, { learningRate: 0 });
    await setHyperparameters(other, { learningRate: 0 });
    const training = await createTrainingRecorder(one, still);
    const early = runtime.device.createCommandEncoder();
    training.record(early, { steps: 3 });
    const begun = early.finish();
    const onTrainBatchEnd = (batch: number) => {
      try {
        training.record(runtime.device.createCommandEncoder());
      } catch (error) {
        refused.push(error);
      }
      if (batch === 1) runtime.device.queue.submit([begun]);
    };
    const got = await one.fit(dataset, { ...options, callbacks: [{ onTrainBatchEnd }] });
    const want = await other.fit(dataset, options);
    expect(got.history).toEqual(want.history);
    expect(refused).toHaveLength(4);
    expect(String(refused[0])).toMatch("training.record: the model is busy with fit. Await it first.");
    expect((await training.read()).samples).toBe(9);
    // A fit that other steps have followed cannot be resumed.
    submit((encoder) => training.record(encoder));
    await expect(one.fit(dataset, { ...options, epochs: 2, resume: true })).rejects.toThrow(/not of a fit/);
    for (const disposable of [training, dataset, still, one, other]) disposable.dispose();
  });

  it("waits for weights that are read in several submits", async () => {
    const model = sequential([
      dense({ units: 400, activation: "relu", inputShape: [400] }),
      dense({ units: 3, activation: "softmax" }),
    ]);
    const settings = { loss: "sparseCategoricalCrossentropy", optimizer: sgd(), memory: "compact" } as const;
    await model.compile({ ...settings, runtime });
    const dataset = await createDataset(runtime, noise(2, [400], 3));
    const training = await createTrainingRecorder(model, dataset);
    const reading = model.getWeights();
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    const record = () => submit((encoder) => training.record(encoder));
    expect(record).toThrow("training.record: the weights are being read, in several submits. Await that first.");
    const before = (await reading).flatMap(({ data }) => [...data]);
    expect(await allWeights(model)).toEqual(before);
    record();
    expect(await allWeights(model)).not.toEqual(before);
    for (const disposable of [dataset, model]) disposable.dispose();
  });

  it("has outputs of layers, evaluations and weights that are of the steps before", async () => {
    const model = await ready();
    const values = noise(4, [4], 3);
    const dataset = await createDataset(runtime, values);
    const training = await createTrainingRecorder(model, dataset);
    const before = (await outputsOf(model, values.x)).get("dense")!.data;
    const { loss } = await model.evaluate(dataset);
    submit((encoder) => training.record(encoder, { steps: 3 }));
    expect((await outputsOf(model, values.x)).get("dense")!.data).not.toEqual(before);
    expect((await model.evaluate(dataset)).loss).toBeLessThan(loss);
    for (const disposable of [dataset, model]) disposable.dispose();
  });
});

describe("what the app does wrong", () => {
  it("is said before anything is recorded", async () => {
    const model = await ready();
    const data = noise(4, [4], 3);
    const dataset = await createDataset(runtime, data);
    const make = (set: unknown, options?: object) => createTrainingRecorder(model, set as never, options as never);
    await expect(make(data)).rejects.toThrow("createTrainingRecorder: dataset must come from await createDataset()");
    await expect(make(dataset, { batchSize: 0 })).rejects.toThrow(/batchSize must be a whole number/);
    await expect(make(dataset, { shuffle: 1 })).rejects.toThrow(/shuffle must be true or false, got 1/);
    await expect(make(dataset, { seed: 0.5 })).rejects.toThrow(/seed must be a whole number/);
    await expect(make(dataset, { epochs: 2 })).rejects.toThrow('no option "epochs"');
    const wide = await createDataset(runtime, noise(4, [5], 3));
    await expect(make(wide)).rejects.toThrow("The model takes [4] a sample, got [5].");
    const bare = await createDataset(runtime, { x: data.x });
    await expect(make(bare)).rejects.toThrow("createTrainingRecorder needs labels y beside the samples x.");
    const away = await createRuntime();
    const foreign = await createDataset(away, data);
    await expect(make(foreign)).rejects.toThrow("createTrainingRecorder: the data set is on another runtime");
    const bound = away.device.createBuffer({ size: 64, usage: STORAGE });
    const theirs = await createDataset(runtime, { x: { buffer: bound, shape: [4, 4] }, y: data.y });
    await expect(make(theirs)).rejects.toThrow(/createTrainingRecorder: the GPU refused what it was given/);
    away.dispose();
    const only = tinyModel();
    await only.compile({ runtime });
    await expect(createTrainingRecorder(only, dataset)).rejects.toThrow(/compiled without a loss/);
    const before = runtime.memory.buffers;
    const training = await make(dataset);
    const encoder = runtime.device.createCommandEncoder();
    expect(() => training.record(runtime as never)).toThrow(/training\.record: target must be .* got a Runtime/);
    expect(() => training.record(encoder, { steps: 0 })).toThrow(/steps must be a whole number of at least 1, got 0/);
    expect(() => training.record(encoder, { step: 1 } as never)).toThrow('no option "step"');
    const writing = model.setWeights(await model.getWeights());
    expect(() => training.record(encoder)).toThrow("the model is busy with a write of its parameters");
    await writing;
    training.dispose();
    training.dispose();
    expect(runtime.memory.buffers).toBe(before);
    expect(() => training.record(encoder)).toThrow("training.record: the recorder was disposed.");
    await expect(training.read()).rejects.toThrow("training.read: the recorder was disposed.");
    const last = await make(dataset);
    dataset.dispose();
    expect(() => last.record(encoder)).toThrow("The data set was disposed.");
    await expect(make(dataset)).rejects.toThrow("The data set was disposed.");
    await ready(model as never);
    expect(() => last.record(encoder)).toThrow(/compiled again/);
    for (const disposable of [wide, bare, only, model]) disposable.dispose();
    expect(() => last.record(encoder)).toThrow(/compiled again/);
    await expect(createTrainingRecorder(model, wide)).rejects.toThrow("the model was disposed");
  });
});
