import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createDataset,
  createRuntime,
  dense,
  type Runtime,
  type Sequential,
  sequential,
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

async function compiled(): Promise<Sequential> {
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

describe("a model that is disposed of while a call is under way", () => {
  const weights = [{ data: new Float32Array(12) }, { data: new Float32Array(3) }];
  const calls: Record<string, (model: Sequential) => Promise<unknown>> = {
    fit: (model) => model.fit(x, y, { verbose: 0, batchSize: 8, validationData: [x, y] }),
    evaluate: (model) => model.evaluate(x, y),
    predict: (model) => model.predict(x),
    trainOnBatch: (model) => model.trainOnBatch(x, y),
    getWeights: (model) => model.getWeights(),
    setWeights: (model) => model.setWeights(weights),
  };

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
  const onBatchEnd = () => {
    throw new Error("enough");
  };
  const options = { batchSize: 8, verbose: 0, stepsPerExecution: 1, callbacks: [{ onBatchEnd }] } as const;
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
