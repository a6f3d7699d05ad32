import { describe, expect, it, vi } from "vitest";
import { createDataset, createRuntime, dense, sequential, sgd, tensor } from "../../src/index.ts";
import { Ledger } from "../support/ledger.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

describe("a runtime", () => {
  it("holds no buffer after 50 models were made, trained and disposed of", async () => {
    const runtime = await createRuntime();
    const { x, y } = noise(10, [4], 3);
    for (let i = 0; i < 50; i++) {
      const model = tinyModel();
      await model.compile({ ...settings, optimizer: sgd(), runtime });
      await model.fit(x, y, { batchSize: 4, verbose: 0, validationData: [x, y] });
      await model.predict(x);
      await model.trainOnBatch(x, y);
      model.dispose();
    }
    expect(runtime.memory.buffers).toBe(0);
    expect(runtime.memory.bytes).toBe(0);
    expect(runtime.memory.peakBytes).toBeGreaterThan(0);
    runtime.dispose();
  });

  it("serves several models, whose pipelines it compiles once", async () => {
    const runtime = await createRuntime();
    const { x, y } = noise(10, [4], 3);
    const models = [tinyModel(), tinyModel()];
    for (const model of models) await model.compile({ ...settings, optimizer: sgd(), runtime });
    await models[0]!.fit(x, y, { batchSize: 5, verbose: 0 });
    const compiled = runtime.pipelines.size;
    await models[1]!.fit(x, y, { batchSize: 5, verbose: 0 });
    expect(runtime.pipelines.size).toBe(compiled);
    models[0]!.dispose();
    await models[1]!.fit(x, y, { batchSize: 5, verbose: 0 });
    models[1]!.dispose();
    runtime.dispose();
  });

  it("takes the app's device, and leaves it alone", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const runtime = await createRuntime({ device });
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const { x, y } = noise(10, [4], 3);
    await model.fit(x, y, { verbose: 0 });
    model.dispose();
    runtime.dispose();
    device.pushErrorScope("validation");
    device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE }).destroy();
    expect(await device.popErrorScope()).toBeNull();
    device.destroy();
  });
});

describe("a model", () => {
  it("makes a runtime of its own where it is given none, and disposes of it", async () => {
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd() });
    const { device } = model.runtime!;
    model.dispose();
    expect((await device.lost).reason).toBe("destroyed");
  });

  it("says so when its device is lost, in the middle of training and afterwards", async () => {
    const adapter = await navigator.gpu.requestAdapter();
    const device = await adapter!.requestDevice();
    const runtime = await createRuntime({ device });
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const { x, y } = noise(400, [4], 3);
    const callbacks = [{ onTrainBatchEnd: (batch: number) => (batch >= 20 ? device.destroy() : undefined) }];
    const training = model.fit(x, y, { batchSize: 4, verbose: 0, stepsPerExecution: 1, callbacks });
    await expect(training).rejects.toThrow(/device was lost/);
    await expect(model.fit(x, y)).rejects.toThrow(/device was lost/);
    model.dispose();
  });

  it("stops at an AbortSignal between two submits, and goes on afterwards", async () => {
    const runtime = await createRuntime();
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const { x, y } = noise(400, [4], 3);
    const stop = new AbortController();
    const callbacks = [{ onTrainBatchEnd: (batch: number) => (batch >= 20 ? stop.abort() : undefined) }];
    const options = { batchSize: 4, epochs: 5, verbose: 0, stepsPerExecution: 1 } as const;
    const { epoch } = await model.fit(x, y, { ...options, callbacks, signal: stop.signal });
    expect(epoch).toEqual([]);
    expect(model.stats().steps).toBeLessThan(40);
    expect((await model.fit(x, y, options)).epoch).toEqual([0, 1, 2, 3, 4]);
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
    runtime.dispose();
  });

  it("answers from within fit's callbacks, and trains on as if nobody had asked", async () => {
    const runtime = await createRuntime();
    const { x, y } = noise(40, [4], 3);
    const train = async (ask: boolean) => {
      const model = tinyModel();
      await model.compile({ ...settings, optimizer: sgd(), runtime });
      const seen: number[] = [];
      const look = async () => {
        const [predicted, held] = await Promise.all([model.predict(x), model.evaluate(x, y)]);
        seen.push(predicted.data.length, held.loss, (await model.getWeights()).length);
      };
      const callbacks = ask ? [{ onEpochEnd: look, onTrainBatchEnd: look }] : [];
      const options = { batchSize: 4, epochs: 2, verbose: 0, stepsPerExecution: 1, callbacks } as const;
      const history = await model.fit(x, y, { ...options, validationData: [x, y] });
      const weights = await allWeights(model);
      model.dispose();
      return { history, weights, seen };
    };
    const [asked, left] = [await train(true), await train(false)];
    expect(asked.history).toEqual(left.history);
    expect(asked.weights).toEqual(left.weights);
    expect(asked.seen.slice(0, 3)).toEqual([120, expect.any(Number), 2]);
    runtime.dispose();
  });

  it("may be disposed of while it trains: fit says so", async () => {
    const runtime = await createRuntime();
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const { x, y } = noise(400, [4], 3);
    const callbacks = [{ onTrainBatchEnd: (batch: number) => (batch >= 20 ? model.dispose() : undefined) }];
    const training = model.fit(x, y, { batchSize: 4, verbose: 0, stepsPerExecution: 1, callbacks });
    await expect(training).rejects.toThrow(/disposed/);
    expect(runtime.memory.buffers).toBe(0);
    runtime.dispose();
  });

  it("may be disposed of while it compiles, plans or waits for data: nothing is left behind", async () => {
    const runtime = await createRuntime();
    const { x, y } = noise(10, [4], 3);
    const compiling = tinyModel();
    const compiled = compiling.compile({ ...settings, optimizer: sgd(), runtime });
    compiling.dispose();
    await expect(compiled).rejects.toThrow(/disposed/);
    const planning = tinyModel();
    await planning.compile({ ...settings, optimizer: sgd(), runtime });
    const evaluation = planning.evaluate(x, y);
    await Promise.resolve();
    planning.dispose();
    await expect(evaluation).rejects.toThrow(/disposed/);
    expect(runtime.memory.buffers).toBe(0);
    runtime.dispose();
    const request = vi.spyOn(GPUAdapter.prototype, "requestDevice");
    const waiting = sequential([dense({ units: 3, activation: "softmax" })]);
    await waiting.compile({ ...settings, optimizer: sgd() });
    await waiting.compile({ ...settings, optimizer: sgd() });
    waiting.dispose();
    const devices = await Promise.all(request.mock.results.map(({ value }) => value as Promise<GPUDevice>));
    request.mockRestore();
    expect(devices).toHaveLength(2);
    for (const device of devices) expect((await device.lost).reason).toBe("destroyed");
  });

  it("answers two calls that are the first to tell the input's shape", async () => {
    const model = sequential([dense({ units: 3, activation: "softmax" })]);
    await model.compile({ ...settings, optimizer: sgd() });
    const { x } = noise(10, [4], 3);
    const [one, two] = await Promise.all([model.predict(x), model.predict(x)]);
    expect(one).toEqual(two);
    model.dispose();
  });

  it("says so when its data set is disposed of while it trains", async () => {
    const runtime = await createRuntime();
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const dataset = await createDataset(runtime, noise(400, [4], 3));
    const callbacks = [{ onTrainBatchEnd: (batch: number) => (batch >= 20 ? dataset.dispose() : undefined) }];
    const training = model.fit(dataset, { batchSize: 4, verbose: 0, stepsPerExecution: 1, callbacks });
    await expect(training).rejects.toThrow(/data set was disposed/);
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
    runtime.dispose();
  });

  it("lists its layers", () => {
    expect(tinyModel().layers).toEqual([
      { name: "dense", type: "Dense", outputShape: [3], outputShapes: [[3]], parameters: 15 },
    ]);
    expect(tinyModel().countParams()).toBe(15);
  });

  it("refuses wrong calls before any GPU work, and stays as it was", async () => {
    const runtime = await createRuntime();
    const model = tinyModel();
    const { x, y } = noise(10, [4], 3);
    await expect(model.fit(x, y)).rejects.toThrow(/compile/);
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    const before = runtime.memory.buffers;
    const ledger = new Ledger(runtime.device);
    const flat = tensor(new Float32Array(30), [10, 3]);
    await expect(model.fit(flat, y)).rejects.toThrow("The model takes [4] a sample, got [3].");
    await expect(model.fit(x, tensor(new Uint8Array(9), [9]))).rejects.toThrow(/10 samples, but y has 9/);
    await expect(model.fit(x, tensor(new Uint8Array(10).fill(3), [10]))).rejects.toThrow(/\[0, 3\), but y holds 3/);
    await expect(model.fit(x, flat)).rejects.toThrow(/class numbers/);
    await expect(model.fit(x, y, { batchSize: 0 })).rejects.toThrow(/batchSize/);
    await expect(model.fit(x, y, { epoch: 3 } as object)).rejects.toThrow(/no option "epoch"/);
    await expect(model.evaluate(x, undefined as never)).rejects.toThrow(/labels/);
    expect(Object.values(ledger.take()).every((count) => count === 0)).toBe(true);
    ledger.stop();
    expect(runtime.memory.buffers).toBe(before);
    const [one, two] = [model.fit(x, y, { verbose: 0 }), model.trainOnBatch(x, y)];
    await expect(two).rejects.toThrow(/busy with fit/);
    await one;
    expect(() => model.add(dense({ units: 2 }))).toThrow(/after compile/);
    model.dispose();
    await expect(model.predict(x)).rejects.toThrow(/disposed/);
    runtime.dispose();
  });

  it("says what its loss needs of the last layer", async () => {
    const runtime = await createRuntime();
    const model = sequential([dense({ units: 3, activation: "relu", inputShape: [4] })]);
    await expect(model.compile({ ...settings, optimizer: sgd(), runtime })).rejects.toThrow(/softmax/);
    runtime.dispose();
  });

  it("says which limit of the adapter it needs more of, before any buffer is made", async () => {
    const runtime = await createRuntime();
    const most = runtime.device.limits.maxStorageBufferBindingSize;
    const units = Math.floor(most / 16) + 1;
    const wide = sequential([dense({ units, inputShape: [4] }), dense({ units: 2, activation: "softmax" })]);
    const kernel = wide.compile({ ...settings, optimizer: sgd(), runtime });
    await expect(kernel).rejects.toThrow(new RegExp(`${units * 16} bytes.*${most}`));
    expect(runtime.memory.peakBytes).toBe(0);
    runtime.dispose();
  });

  it("waits for the data where the first layer has no inputShape", async () => {
    const runtime = await createRuntime();
    const model = sequential([dense({ units: 3, activation: "softmax" })]);
    await model.compile({ ...settings, optimizer: sgd(), runtime });
    await expect(model.getWeights()).rejects.toThrow(/inputShape/);
    const wrong = noise(10, [7], 5);
    await expect(model.fit(wrong.x, tensor(new Uint8Array(10).fill(4), [10]))).rejects.toThrow(/y holds 4/);
    const { x, y } = noise(10, [4], 3);
    const dataset = await createDataset(runtime, { x, y });
    expect((await model.fit(dataset, { verbose: 0 })).epoch).toEqual([0]);
    expect((await model.getWeights())[0]!.shape).toEqual([4, 3]);
    dataset.dispose();
    model.dispose();
    runtime.dispose();
  });
});
