import { describe, expect, it, vi } from "vitest";
import {
  createDataset,
  createProbe,
  createRuntime,
  FeaturemapError,
  type Model,
  parameterBuffers,
  type Runtime,
  setHyperparameters,
  sgd,
  snapshot,
} from "../../src/index.ts";
import { noise, tinyModel } from "../support/models.ts";

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
const options = { batchSize: 4, verbose: 0, stepsPerExecution: 1 } as const;
const { x, y } = noise(40, [4], 3);

/** A model whose kernel is gone behind the library's back, warm, and errors that nobody caught. */
async function broken(): Promise<{ model: Model; runtime: Runtime; uncaptured: string[]; end: () => void }> {
  const runtime = await createRuntime();
  const uncaptured: string[] = [];
  runtime.device.addEventListener("uncapturederror", ({ error }) => uncaptured.push(error.message));
  const model = tinyModel();
  await model.compile({ ...settings, optimizer: sgd(), runtime });
  await model.fit(x, y, options);
  await model.trainOnBatch(x, y);
  await model.evaluate(x, y);
  await model.predict(x);
  const [kernel] = await parameterBuffers(model);
  kernel!.buffer.destroy();
  const end = () => {
    model.dispose();
    runtime.dispose();
  };
  return { model, runtime, uncaptured, end };
}

describe("what the GPU refuses fails the call that asked for it, and names the tensor", () => {
  it.each<[string, (model: Model, runtime: Runtime) => Promise<unknown>]>([
    ["fit", (model) => model.fit(x, y, { ...options, epochs: 3 })],
    ["fit, many steps a submit", (model) => model.fit(x, y, { ...options, stepsPerExecution: 64 })],
    ["trainOnBatch", (model) => model.trainOnBatch(x, y)],
    ["evaluate", (model) => model.evaluate(x, y)],
    ["predict", (model) => model.predict(x)],
    ["predict in several batches", (model) => model.predict(x, { batchSize: 8 })],
    ["getWeights", (model) => model.getWeights()],
    ["snapshot", (model) => snapshot(model)],
    ["setWeights", (model) => model.setWeights([{ data: new Float32Array(12) }, { data: new Float32Array(3) }])],
    [
      "a probe",
      async (model) => {
        const probe = await createProbe(model);
        probe.run({ data: new Float32Array(4), shape: [1, 4] });
        return probe.read();
      },
    ],
  ])("%s", async (_, call) => {
    const { model, runtime, uncaptured, end } = await broken();
    const error = await call(model, runtime).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(FeaturemapError);
    expect(error).toMatchObject({ code: "device", message: expect.stringContaining("dense/kernel") });
    await runtime.device.queue.onSubmittedWorkDone();
    expect(uncaptured).toEqual([]);
    end();
  });

  it("a data set whose buffer the app destroyed, and hyperparameters", async () => {
    const { model, runtime, uncaptured, end } = await broken();
    const dataset = await createDataset(runtime, { x, y });
    dataset.columns[0]!.buffer.destroy();
    await expect(model.evaluate(dataset)).rejects.toMatchObject({ code: "device", message: /samples|destroyed/ });
    await setHyperparameters(model, { learningRate: 0.5 });
    expect(uncaptured).toEqual([]);
    end();
  });
});

it("errors of the app's own calls stay the app's, also while the model trains", async () => {
  const runtime = await createRuntime();
  const { device } = runtime;
  const uncaptured = vi.fn();
  device.addEventListener("uncapturederror", uncaptured);
  const model = tinyModel();
  await model.compile({ ...settings, optimizer: sgd(), runtime });
  const scoped: (GPUError | null)[] = [];
  const wrong = () => device.queue.writeBuffer(device.createBuffer({ size: 4, usage: 8 }), 0, new Uint8Array(64));
  const onTrainBatchEnd = async (batch: number) => {
    if (batch === 2) wrong();
    if (batch !== 4) return;
    device.pushErrorScope("validation");
    wrong();
    scoped.push(await device.popErrorScope());
  };
  const { history } = await model.fit(x, y, { ...options, callbacks: [{ onTrainBatchEnd }] });
  expect(history.loss).toHaveLength(1);
  await device.queue.onSubmittedWorkDone();
  expect(uncaptured).toHaveBeenCalledTimes(1);
  expect(scoped).toEqual([expect.objectContaining({ message: expect.any(String) })]);
  model.dispose();
  runtime.dispose();
});

it("an app's scope that is open across an await catches nothing of ours", async () => {
  const runtime = await createRuntime();
  const model = tinyModel();
  await model.compile({ ...settings, optimizer: sgd(), runtime });
  await model.fit(x, y, options);
  const [kernel] = await parameterBuffers(model);
  kernel!.buffer.destroy();
  runtime.device.pushErrorScope("validation");
  await expect(model.fit(x, y, options)).rejects.toMatchObject({ code: "device" });
  expect(await runtime.device.popErrorScope()).toBeNull();
  model.dispose();
  runtime.dispose();
});
