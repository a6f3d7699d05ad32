import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  accuracy,
  adamW,
  createRuntime,
  dense,
  flatten,
  type GradientTransform,
  getHyperparameters,
  type LayerSpec,
  loadModel,
  loadWeights,
  type Metric,
  type Model,
  type Runtime,
  saveModel,
  sequential,
  setHyperparameters,
  sgd,
  tensor,
  toConfig,
  toSafetensors,
} from "../../src/index.ts";
import { add as sum } from "../../src/ops/elementwise/add.ts";
import { momentumSgd } from "../support/extension.ts";
import { allWeights, noise, smallModel, tinyModel } from "../support/models.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const settings = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

async function compiled(model: Model = tinyModel(), seed = 0) {
  await model.compile({ ...settings, optimizer: sgd({ learningRate: 0.3 }), runtime, seed });
  return model;
}

describe("a saved model", () => {
  it("comes back with its layers, weights, loss, optimizer and metrics, and trains on as the first does", async () => {
    const { x, y } = noise(16, [12, 12, 1], 5);
    const model = await compiled(smallModel(), 3);
    await model.fit(x, y, { batchSize: 8, verbose: 0 });
    const again = await loadModel(await saveModel(model), { runtime });
    expect(toConfig(again)).toEqual(toConfig(model));
    expect(await again.getWeights()).toEqual(await model.getWeights());
    expect(await again.predict(x)).toEqual(await model.predict(x));
    const [one, two] = [await model.trainOnBatch(x, y), await again.trainOnBatch(x, y)];
    expect(two).toEqual(one);
    expect(two.accuracy).toBeDefined();
    expect(again.summary({ print: () => {} })).toBe(model.summary({ print: () => {} }));
    expect(await allWeights(again)).toEqual(await allWeights(model));
    model.dispose();
    again.dispose();
  });

  it("keeps its optimizer's options and its learning rate of now", async () => {
    const { x, y } = noise(6, [4], 3);
    const model = tinyModel();
    await model.compile({ ...settings, optimizer: adamW({ beta1: 0.8, weightDecay: 0.1 }), runtime });
    await setHyperparameters(model, { learningRate: 0.25 });
    const file = await saveModel(model);
    const again = await loadModel(file, { runtime });
    expect(await getHyperparameters(again)).toEqual({ learningRate: 0.25 });
    for (const each of [model, again]) await each.trainOnBatch(x, y);
    expect(await allWeights(again)).toEqual(await allWeights(model));
    // What the caller says wins.
    const plain = await loadModel(file, { runtime, optimizer: sgd({ learningRate: 0.5 }), metrics: [] });
    expect(await getHyperparameters(plain)).toEqual({ learningRate: 0.5 });
    expect(await plain.evaluate(x, y)).not.toHaveProperty("accuracy");
    for (const each of [model, again, plain]) each.dispose();
  });

  it("wants a metric of one's own brought along", async () => {
    const { x, y } = noise(6, [4], 3);
    const model = tinyModel();
    const { call } = accuracy();
    const mine: Metric = { name: "mine", call };
    await model.compile({ ...settings, metrics: [mine], optimizer: sgd(), runtime });
    const file = await saveModel(model);
    await expect(loadModel(file, { runtime })).rejects.toThrow(
      "loadModel: the file's metrics \"mine\" is not the library's. Bring it: loadModel(bytes, { metrics: ... }).",
    );
    const again = await loadModel(file, { runtime, metrics: [mine] });
    expect(await again.evaluate(x, y)).toEqual(await model.evaluate(x, y));
    for (const each of [model, again]) each.dispose();
  });

  it("wants a transform of gradients of one's own brought along, with the optimizer", async () => {
    const { x, y } = noise(6, [4], 3);
    const model = tinyModel();
    const transform: GradientTransform["transform"] = ({ gradients, add }) =>
      new Map([...gradients].map(([path, g]) => [path, add(sum, { a: g, b: g }).c]));
    const optimizer = sgd({ learningRate: 0.1, transforms: [{ name: "twice", config: {}, transform }] });
    await model.compile({ ...settings, optimizer, runtime });
    const file = await saveModel(model);
    await expect(loadModel(file, { runtime })).rejects.toThrow(
      "loadModel: the file's gradient transform \"twice\" is not the library's. Bring it: loadModel(bytes, { optimizer: ... }).",
    );
    const again = await loadModel(file, { runtime, optimizer });
    for (const each of [model, again]) await each.trainOnBatch(x, y);
    expect(await allWeights(again)).toEqual(await allWeights(model));
    for (const each of [model, again]) each.dispose();
  });

  it("scales bytes as it did", async () => {
    const bytes = Uint8Array.from({ length: 8 }, (_, i) => (i * 37) % 256);
    const model = await compiled();
    await model.fit(tensor(bytes, [2, 4], { scale: 1 / 255 }), noise(2, [4], 3).y, { verbose: 0 });
    const again = await loadModel(await saveModel(model), { runtime });
    expect(await again.predict(tensor(bytes, [2, 4]))).toEqual(await model.predict(tensor(bytes, [2, 4])));
    model.dispose();
    again.dispose();
  });

  it("may be saved while fit runs, from its callbacks and beside it, and disturbs nothing", async () => {
    const { x, y } = noise(64, [4], 3);
    const [model, alone] = [await compiled(), await compiled()];
    const options = { batchSize: 4, epochs: 3, verbose: 0 } as const;
    await alone.fit(x, y, options);
    const saved: { file: Uint8Array; weights: number[] }[] = [];
    const onEpochEnd = async () => {
      saved.push({ file: await saveModel(model), weights: await allWeights(model) });
    };
    const training = model.fit(x, y, { ...options, callbacks: [{ onEpochEnd }] });
    await saveModel(model);
    await training;
    expect(await allWeights(model)).toEqual(await allWeights(alone));
    expect(saved).toHaveLength(3);
    expect(saved[1]!.weights).not.toEqual(saved[2]!.weights);
    for (const { file, weights } of saved) {
      const again = await loadModel(file, { runtime });
      expect(await allWeights(again)).toEqual(weights);
      again.dispose();
    }
    model.dispose();
    alone.dispose();
  });

  it("that only predicts comes back so, on a runtime of its own", async () => {
    const model = sequential([dense({ units: 3, inputShape: [4] }), dense({ units: 2 })], { name: "plain" });
    await model.compile({ runtime });
    const { x } = noise(3, [4], 3);
    const again = await loadModel(await saveModel(model));
    expect(again.name).toBe("plain");
    expect(again.runtime).not.toBe(runtime);
    expect((await again.predict(x)).data).toEqual((await model.predict(x)).data);
    again.dispose();
    model.dispose();
  });

  it("takes layers and an optimizer of one's own, and says so where they are missing", async () => {
    const twice = ({ name }: { name?: string } = {}): LayerSpec => ({
      type: "Twice",
      name,
      config: {},
      call: ({ input, add }) => add(sum, { a: input, b: input }).c,
    });
    const model = sequential([flatten({ inputShape: [4] }), twice(), dense({ units: 3, activation: "softmax" })]);
    const optimizer = momentumSgd(0.1, 0.9);
    await model.compile({ ...settings, optimizer, runtime });
    const { x, y } = noise(6, [4], 3);
    await model.trainOnBatch(x, y);
    const file = await saveModel(model);
    const before = runtime.memory.buffers;
    const layers = { Twice: twice };
    await expect(loadModel(file, { runtime })).rejects.toThrow(/no known layer: "Twice"/);
    await expect(loadModel(file, { runtime, layers })).rejects.toThrow(
      "loadModel: the file's optimizer \"momentumSgd\" is not the library's. Bring it: loadModel(bytes, { optimizer: ... }).",
    );
    const misspelt = loadModel(file, { runtime, layers, optimizer, seeds: 3 } as never);
    await expect(misspelt).rejects.toThrow(/no option "seeds"/);
    expect(runtime.memory.buffers).toBe(before);
    const again = await loadModel(file, { runtime, layers, optimizer });
    expect(await again.predict(x)).toEqual(await model.predict(x));
    expect((await again.trainOnBatch(x, y)).loss).toBeGreaterThan(0);
    again.dispose();
    model.dispose();
  });

  it("is not made of a damaged file", async () => {
    const model = await compiled();
    const file = await saveModel(model);
    const before = runtime.memory.buffers;
    const damaged = file.slice();
    damaged[file.length - 3]! ^= 4;
    for (const bytes of [file.subarray(0, -5), damaged, new Uint8Array(0)])
      await expect(loadModel(bytes, { runtime })).rejects.toMatchObject({ name: "FeaturemapError", code: "data" });
    expect(runtime.memory.buffers).toBe(before);
    model.dispose();
    await expect(saveModel(model)).rejects.toThrow("saveModel: the model was disposed.");
    await expect(saveModel(tinyModel())).rejects.toThrow(/saveModel cannot go on: await model\.compile\(\) first/);
  });
});

describe("loadWeights", () => {
  it("takes the weights of a saved model, or of any safetensors file, by name", async () => {
    const [model, other] = [await compiled(tinyModel(), 1), await compiled(tinyModel(), 2)];
    const weights = await model.getWeights();
    await loadWeights(other, await saveModel(model));
    expect(await other.getWeights()).toEqual(weights);
    const negated = weights.map(({ name, shape, data }) => [name, { shape, data: data.map((w) => -w) }] as const);
    await loadWeights(other, toSafetensors(negated.reverse()));
    expect(await allWeights(other)).toEqual((await allWeights(model)).map((w) => -w));
    model.dispose();
    other.dispose();
  });

  it("reads the file before the promise is returned, and takes its turn", async () => {
    const [model, other] = [await compiled(tinyModel(), 1), await compiled(tinyModel(), 2)];
    const weights = await model.getWeights();
    const [one, two] = [await saveModel(model), await saveModel(other)];
    const first = loadWeights(model, two);
    const second = loadWeights(model, one);
    for (const bytes of [one, two]) bytes.fill(0);
    await Promise.all([first, second]);
    expect(await model.getWeights()).toEqual(weights);
    for (const each of [model, other]) each.dispose();
  });

  it("changes nothing where the file is damaged, or another model's", async () => {
    const [model, other] = [
      await compiled(),
      await compiled(sequential([dense({ units: 3, activation: "softmax", inputShape: [5] })])),
    ];
    const before = await allWeights(model);
    const file = await saveModel(model);
    const damaged = file.slice();
    damaged[file.length - 3]! ^= 4;
    await expect(loadWeights(model, damaged)).rejects.toMatchObject({ code: "data" });
    await expect(loadWeights(model, file.subarray(0, -1))).rejects.toMatchObject({ code: "data" });
    const nan = Object.fromEntries(
      (await model.getWeights()).map(({ name, shape, data }) => [name, { shape, data: data.fill(Number.NaN) }]),
    );
    await expect(loadWeights(model, toSafetensors(nan))).rejects.toThrow(/"dense\/kernel" must hold finite numbers/);
    await expect(model.setWeights(Object.values(nan))).rejects.toThrow(/"dense\/kernel", number 0, must be finite/);
    await expect(loadWeights(model, await saveModel(other))).rejects.toThrow(
      'loadWeights: "dense/kernel" has shape [4, 3] in the model, but [5, 3] in the file.',
    );
    expect(await allWeights(model)).toEqual(before);
    model.dispose();
    other.dispose();
  });
});
