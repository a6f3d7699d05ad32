import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createDataset,
  createProbe,
  createRuntime,
  dense,
  type Model,
  pauseSwitch,
  type Runtime,
  sequential,
  setHyperparameters,
  sgd,
} from "../../src/index.ts";
import { noise, tinyModel } from "../support/models.ts";

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"], optimizer: sgd() } as const;
const { x, y } = noise(40, [4], 3);

let runtime: Runtime;
let uncaptured: string[];
beforeAll(async () => {
  runtime = await createRuntime();
  runtime.device.addEventListener("uncapturederror", ({ error }) => uncaptured.push(error.message));
});
beforeEach(() => {
  uncaptured = [];
});
afterAll(() => runtime.dispose());

async function compiled() {
  const model = tinyModel();
  await model.compile({ ...settings, runtime });
  return model;
}

/** A model that learns its input's shape from its first data. */
const late = () => sequential([dense({ units: 3, activation: "softmax" })]);

/** The devices that the library asks for while `run` runs. */
async function devicesMade(run: () => Promise<void>): Promise<GPUDevice[]> {
  const made: GPUDevice[] = [];
  const original = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...options) {
    const device = await original.apply(this, options);
    made.push(device);
    return device;
  };
  await run().finally(() => {
    GPUAdapter.prototype.requestDevice = original;
  });
  return made;
}

const weights = [{ data: new Float32Array(12) }, { data: new Float32Array(3) }];
const calls: Record<string, (model: Model) => Promise<unknown>> = {
  fit: (model) => model.fit(x, y, { verbose: 0, batchSize: 8, validationData: [x, y] }),
  evaluate: (model) => model.evaluate(x, y),
  predict: (model) => model.predict(x),
  trainOnBatch: (model) => model.trainOnBatch(x, y),
  getWeights: (model) => model.getWeights(),
  setWeights: (model) => model.setWeights(weights),
};

describe("a model that is disposed of while a call is under way", () => {
  it.each(Object.keys(calls))("frees everything and says so: %s", async (name) => {
    for (let ticks = 0; ticks < 12; ticks++) {
      const model = await compiled();
      const call = calls[name]!(model).then(
        () => "done",
        (error: Error) => error.message,
      );
      for (let i = 0; i < ticks; i++) await (i < 6 ? undefined : new Promise((resolve) => setTimeout(resolve, 1)));
      model.dispose();
      expect(await call).toMatch(/^done$|disposed/);
      await runtime.device.queue.onSubmittedWorkDone();
      expect(uncaptured).toEqual([]);
      expect(runtime.memory.buffers).toBe(0);
    }
  });

  it("frees what compile made", async () => {
    const model = tinyModel();
    const compiling = model.compile({ ...settings, runtime });
    model.dispose();
    await expect(compiling).rejects.toThrow(/disposed/);
    expect(runtime.memory.buffers).toBe(0);
  });

  it("disposes of its own runtime, built or not", async () => {
    const made = await devicesMade(async () => {
      const unbuilt = late();
      await unbuilt.compile(settings);
      await unbuilt.compile(settings);
      unbuilt.dispose();
      const model = tinyModel();
      const compiling = model.compile(settings);
      model.dispose();
      await expect(compiling).rejects.toThrow(/disposed/);
    });
    expect(made).toHaveLength(3);
    for (const { lost } of made) expect((await lost).reason).toBe("destroyed");
  });
});

describe("a runtime on the app's device that is disposed of while a call is under way", () => {
  it.each(Object.keys(calls))("has nothing on the device any more, and says so: %s", async (name) => {
    for (let ticks = 0; ticks < 12; ticks += 2) {
      const own = await createRuntime({ device: runtime.device });
      const model = tinyModel();
      await model.compile({ ...settings, runtime: own });
      const call = calls[name]!(model).then(
        () => "done",
        (error: Error) => error.message,
      );
      for (let i = 0; i < ticks; i++) await (i < 6 ? undefined : new Promise((resolve) => setTimeout(resolve, 1)));
      own.dispose();
      expect(own.memory).toMatchObject({ buffers: 0, bytes: 0 });
      expect(await call).toMatch(/^done$|runtime was disposed/);
      expect(own.memory).toMatchObject({ buffers: 0, bytes: 0 });
      await runtime.device.queue.onSubmittedWorkDone();
      expect(uncaptured).toEqual([]);
      model.dispose();
    }
  });
});

it("a probe ends with its model, and when it is compiled again", async () => {
  const model = await compiled();
  const probe = await createProbe(model);
  await model.compile({ ...settings, runtime });
  expect(() => probe.run({ data: new Float32Array(4), shape: [1, 4] })).toThrow(/disposed|compiled again/);
  const other = await createProbe(model);
  model.dispose();
  expect(runtime.memory.buffers).toBe(0);
  expect(() => other.run({ data: new Float32Array(4), shape: [1, 4] })).toThrow(/disposed/);
  other.dispose();
});

describe("a change at a wrong time", () => {
  it("is refused while compile runs, and the model is as it was", async () => {
    const model = await compiled();
    const before = await model.getWeights();
    const compiling = model.compile({ ...settings, runtime });
    expect(() => model.add(dense({ units: 2 }))).toThrow(/model.add: the model is busy with compile/);
    await expect(model.setWeights(weights)).rejects.toMatchObject({ code: "state", message: /busy with compile/ });
    await expect(setHyperparameters(model, { learningRate: 1 })).rejects.toMatchObject({ code: "state" });
    await compiling;
    expect(model.layers).toHaveLength(1);
    expect(await model.getWeights()).toEqual(before);

    const first = sequential([dense({ units: 3, activation: "softmax", inputShape: [4] })]);
    const making = first.compile({ ...settings, runtime });
    expect(() => first.add(dense({ units: 2 }))).toThrow(/busy with compile/);
    await making;
    await first.fit(x, y, { verbose: 0 });
    first.dispose();
    model.dispose();
  });

  it("comes in the order of the calls: a write, then compile, then a prediction", async () => {
    for (let round = 0; round < 5; round++) {
      const model = await compiled();
      const setting = model.setWeights(weights);
      const compiling = model.compile({ ...settings, runtime });
      await Promise.all([setting, compiling]);
      expect((await model.getWeights()).flatMap(({ data }) => [...data])).toEqual(new Array(15).fill(0));
      const asking = [
        model.setWeights([{ data: new Float32Array(12) }, { data: Float32Array.of(9, 0, 0) }]),
        model.predict(x),
      ];
      const [, predicted] = (await Promise.all(asking)) as [undefined, { data: Float32Array }];
      expect(predicted.data[0]).toBeGreaterThan(0.99);
      model.dispose();
    }
  });
});

describe("a callback that never settles", () => {
  const never = () => new Promise<void>(() => {});
  const neverBut = (meanwhile: () => void) => {
    setTimeout(meanwhile, 20);
    return never();
  };
  it.each(["onTrainBegin", "onEpochBegin", "onTrainBatchEnd", "onEpochEnd", "onTrainEnd"] as const)(
    "%s: abort and dispose end fit all the same",
    async (hook) => {
      const model = await compiled();
      const stop = new AbortController();
      const hang = { [hook]: () => neverBut(() => stop.abort()) };
      const history = await model.fit(x, y, { batchSize: 8, verbose: 0, callbacks: [hang], signal: stop.signal });
      expect(history.epoch.length).toBeLessThanOrEqual(1);
      expect((await model.fit(x, y, { verbose: 0 })).epoch).toEqual([0]);

      const hung = { [hook]: () => neverBut(() => model.dispose()) };
      await expect(model.fit(x, y, { batchSize: 8, verbose: 0, callbacks: [hung] })).rejects.toThrow(/disposed/);
      expect(runtime.memory.buffers).toBe(0);
    },
  );

  it("and a pause: a runtime on the app's device that is disposed of ends fit", async () => {
    for (const options of [{ callbacks: [{ onEpochBegin: never }] }, { pause: pauseSwitch() }]) {
      const own = await createRuntime({ device: runtime.device });
      const model = tinyModel();
      await model.compile({ ...settings, runtime: own });
      if (options.pause) void options.pause.pause();
      const fitting = model.fit(x, y, { batchSize: 8, verbose: 0, ...options });
      setTimeout(() => own.dispose(), 50);
      await expect(fitting).rejects.toThrow(/runtime was disposed/);
      expect((await own.lost).reason).toBe("destroyed");
      model.dispose();
    }
  });

  it("compile's onProgress: abort ends fit, and dispose createProbe", async () => {
    const model = tinyModel();
    await model.compile({ ...settings, runtime, onProgress: never });
    const signal = AbortSignal.timeout(20);
    expect((await model.fit(x, y, { verbose: 0, signal })).epoch).toEqual([]);
    setTimeout(() => model.dispose(), 20);
    await expect(createProbe(model)).rejects.toThrow(/disposed/);
    expect(runtime.memory.buffers).toBe(0);
  });

  it("compile's onProgress: dispose ends fit", async () => {
    const model = tinyModel();
    await model.compile({ ...settings, runtime, onProgress: never });
    setTimeout(() => model.dispose(), 20);
    await expect(model.fit(x, y, { verbose: 0 })).rejects.toThrow(/disposed/);
    expect(runtime.memory.buffers).toBe(0);
  });
});

describe("a model that waits for its data", () => {
  it("is made once for calls that come at once", async () => {
    const model = late();
    await model.compile(settings);
    const [, one, two] = await Promise.all([model.fit(x, y, { verbose: 0 }), model.predict(x), model.predict(x)]);
    expect(one.shape).toEqual([40, 3]);
    expect(two.shape).toEqual([40, 3]);
    expect((await model.evaluate(x, y)).loss).toBeGreaterThan(0);
    model.dispose();
  });
});

it("frees its buffers where an initializer throws", async () => {
  const model = sequential([
    dense({ units: 3, activation: "softmax", inputShape: [4], kernelInitializer: () => new Float32Array(1) }),
  ]);
  await expect(model.compile({ ...settings, runtime })).rejects.toThrow(/initializer/);
  expect(runtime.memory.buffers).toBe(0);
});

it("counts the steps of a fit that a callback ended", async () => {
  const model = await compiled();
  const onTrainBatchEnd = () => {
    throw new Error("enough");
  };
  const options = { batchSize: 8, verbose: 0, stepsPerExecution: 1, callbacks: [{ onTrainBatchEnd }] } as const;
  await expect(model.fit(x, y, options)).rejects.toThrow("enough");
  const inFlight = runtime.adapter.software ? 2 : 3;
  expect(model.stats().steps).toBe(inFlight);
  await model.fit(x, y, { batchSize: 8, verbose: 0 });
  expect(model.stats().steps).toBe(inFlight + 5);
  model.dispose();
});

it("gives no half of a prediction or evaluation where a signal stops it", async () => {
  const model = await compiled();
  const signal = AbortSignal.abort();
  await expect(model.predict(x, { signal })).rejects.toThrow(/abort/);
  await expect(model.evaluate(x, y, { signal })).rejects.toThrow(/abort/);
  expect((await model.fit(x, y, { signal, verbose: 0 })).epoch).toEqual([]);
  model.dispose();
});

it("leaves the device's errors to whoever made them", async () => {
  const dataset = createDataset(runtime, { x });
  runtime.device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
  (await dataset).dispose();
  await runtime.device.queue.onSubmittedWorkDone();
  expect(uncaptured).toHaveLength(1);
});

it("takes data in memory that grows", async () => {
  const model = await compiled();
  const buffer = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(16, { maxByteLength: 64 });
  expect((await model.predict({ data: new Float32Array(buffer), shape: [1, 4] })).data).toHaveLength(3);
  model.dispose();
});
