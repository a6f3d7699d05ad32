import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  conv2d,
  createDataset,
  createProbe,
  createRuntime,
  type DataInput,
  dense,
  flatten,
  loadModel,
  loadWeights,
  type Model,
  outputsOf,
  type Runtime,
  restore,
  saveModel,
  sequential,
  setHyperparameters,
  sgd,
  snapshot,
  type TensorData,
} from "../../src/index.ts";
import { allWeights, noise, tinyModel } from "../support/models.ts";

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;
const options = { batchSize: 4, verbose: 0, stepsPerExecution: 1 } as const;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

async function compiled(model: Model = tinyModel()): Promise<Model> {
  await model.compile({ ...settings, optimizer: sgd(), runtime });
  return model;
}

function growable(bytes: number): ArrayBuffer {
  // TypeScript's library of ES2022 does not know the second argument.
  return Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: 2 * bytes }]) as ArrayBuffer;
}

type Samples = { readonly x: DataInput; readonly y: TensorData };

/** Kinds of arrays, each with what may befall it once a call has returned. */
const KINDS: readonly [string, () => Samples][] = [
  ["floats", () => noise(10, [4], 3)],
  [
    "bytes",
    () => ({ ...noise(10, [4], 3), x: { data: Uint8Array.from({ length: 40 }, (_, i) => i), shape: [10, 4] } }),
  ],
  [
    "doubles",
    () => ({ ...noise(10, [4], 3), x: { data: Float64Array.from({ length: 40 }, (_, i) => i / 40), shape: [10, 4] } }),
  ],
  [
    "a view into memory that can grow",
    () => {
      const data = new Float32Array(growable(160));
      data.set(Float32Array.from({ length: 40 }, (_, i) => i / 40));
      return { ...noise(10, [4], 3), x: { data, shape: [10, 4] } };
    },
  ],
  ["nested arrays", () => ({ ...noise(10, [4], 3), x: Array.from({ length: 10 }, (_, i) => [i / 10, 1, 2, 3]) })],
];

/** Changes arrays, or takes them away: their buffers go to another place, as `postMessage` sends them. */
function spoil(...inputs: readonly DataInput[]): void {
  for (const input of inputs) {
    if (Array.isArray(input)) for (const row of input as number[][]) row.fill(7);
    else {
      const { data } = input as TensorData;
      data.fill(7);
      if (data.buffer instanceof ArrayBuffer) structuredClone(data.buffer, { transfer: [data.buffer] });
    }
  }
}

const CALLS: Readonly<Record<string, (model: Model, samples: Samples) => Promise<unknown>>> = {
  fit: async (model, { x, y }) => [await model.fit(x, y, { ...options, epochs: 2 }), await allWeights(model)],
  "fit with validation data": (model, { x, y }) => {
    const held = { x: noise(8, [4], 3, 9).x, y: noise(8, [4], 3, 9).y };
    const fitting = model.fit(x, y, { ...options, validationData: [held.x, held.y] });
    spoil(held.x, held.y);
    return fitting;
  },
  evaluate: (model, { x, y }) => model.evaluate(x, y, { batchSize: 4 }),
  "predict in one batch": (model, { x }) => model.predict(x),
  "predict in several": (model, { x }) => model.predict(x, { batchSize: 3 }),
  trainOnBatch: async (model, { x, y }) => [await model.trainOnBatch(x, y), await allWeights(model)],
  createDataset: async (model, samples) => {
    const dataset = await createDataset(runtime, samples);
    return model.evaluate(dataset).finally(() => dataset.dispose());
  },
  outputsOf: (model, { x }) => outputsOf(model, x),
};

describe.each(Object.entries(CALLS))("%s", (_, call) => {
  it.each(KINDS)("reads %s before it returns", async (_, make) => {
    const [a, b] = [await compiled(), await compiled()];
    const wanted = await call(a, make());
    const samples = make();
    const calling = call(b, samples);
    spoil(samples.x, samples.y);
    expect(await calling).toEqual(wanted);
    a.dispose();
    b.dispose();
  });
});

it("a first call, which makes the plan and waits for pipelines, reads samples before it returns, large ones too", async () => {
  const make = () =>
    sequential([
      conv2d({ filters: 1, kernelSize: 9, strides: 9, inputShape: [90, 90, 1] }),
      flatten(),
      dense({ units: 2 }),
    ]);
  const samples = () => noise(40, [90, 90, 1], 2).x;
  const [a, b] = [make(), make()];
  await Promise.all([a, b].map((model) => model.compile({ runtime })));
  const wanted = await a.predict(samples(), { batchSize: 64 });
  const x = samples();
  const predicting = b.predict(x, { batchSize: 64 });
  spoil(x);
  expect(await predicting).toEqual(wanted);
  a.dispose();
  b.dispose();
});

describe("what changes a model", () => {
  it.each<[string, (model: Model) => Promise<() => Promise<void>>]>([
    [
      "setWeights",
      async (model) => {
        const weights = (await model.getWeights()).map(({ data }) => ({ data: data.map((value) => value + 1) }));
        return () => {
          const setting = model.setWeights(weights);
          for (const { data } of weights) data.fill(7);
          return setting;
        };
      },
    ],
    [
      "restore",
      async (model) => {
        await model.fit(noise(10, [4], 3).x, noise(10, [4], 3).y, options);
        const taken = await snapshot(model);
        await model.setWeights((await model.getWeights()).map(({ data }) => ({ data: data.fill(0) })));
        return () => {
          const restoring = restore(model, taken);
          for (const { data } of taken.variables) data.fill(7);
          return restoring;
        };
      },
    ],
    [
      "loadWeights",
      async (model) => {
        await model.fit(noise(10, [4], 3).x, noise(10, [4], 3).y, options);
        const bytes = await saveModel(model);
        await model.setWeights((await model.getWeights()).map(({ data }) => ({ data: data.fill(0) })));
        return () => {
          const loading = loadWeights(model, bytes);
          structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
          return loading;
        };
      },
    ],
  ])("reads its arrays before it returns: %s", async (_, prepare) => {
    const model = await compiled();
    await (await prepare(model))();
    const weights = await allWeights(model);
    expect(weights.some((value) => value !== 0)).toBe(true);
    expect(weights).not.toContain(7);
    model.dispose();
  });

  it("reads its arrays before it returns: loadModel", async () => {
    const model = await compiled();
    const bytes = await saveModel(model);
    const loading = loadModel(bytes, { runtime });
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    const loaded = await loading;
    expect(await allWeights(loaded)).toEqual(await allWeights(model));
    model.dispose();
    loaded.dispose();
  });

  it("reads its values before it returns: setHyperparameters, and a probe's samples", async () => {
    const model = await compiled();
    const values = { learningRate: 0.5 };
    const setting = setHyperparameters(model, values);
    values.learningRate = 7;
    await setting;
    const taken = await snapshot(model);
    expect(taken.hyperparameters).toEqual({ learningRate: 0.5 });

    const { x } = noise(2, [4], 3);
    const [wanted] = await outputsOf(model, x).then((outputs) => outputs.values());
    const probe = await createProbe(model, { batchSize: 2 });
    probe.run(x);
    spoil(x);
    expect([...(await probe.read()).values()][0]).toEqual(wanted);
    model.dispose();
  });
});
