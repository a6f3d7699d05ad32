import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDataset, createRuntime, type Model, oneHot, type Runtime, sgd, tensor } from "../../src/index.ts";
import { forwardBackward, type LayerSpec, sgdStep } from "../reference/network.ts";
import { expectClose } from "../support/compare.ts";
import { mnist } from "../support/mnist.ts";
import { allWeights, digitModel, noise, smallModel, tinyModel } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

const NETWORK: LayerSpec[] = [
  { layer: "conv2d", filters: 6, kernelSize: [3, 3], activation: "relu" },
  { layer: "maxPooling2d", poolSize: [2, 2] },
  { layer: "conv2d", filters: 8, kernelSize: [3, 3], padding: "same", activation: "tanh" },
  { layer: "averagePooling2d", poolSize: [3, 3], strides: [2, 2] },
  { layer: "flatten" },
  { layer: "dense", units: 5, activation: "softmax" },
] as LayerSpec[];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

const sparse = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy"] } as const;

async function compiled(model: Model, seed = 0, learningRate = 0.1): Promise<Model> {
  await model.compile({ ...sparse, optimizer: sgd({ learningRate }), runtime, seed });
  return model;
}

describe("a training step", () => {
  it("is the reference's, whole batches and short ones", async () => {
    const model = await compiled(smallModel());
    const { x, y } = noise(11, [12, 12, 1], 5);
    const before: Float64Array[] = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
    const history = await model.fit(x, y, { batchSize: 8, shuffle: false, verbose: 0 });

    const labels = oneHot(y.data as Uint32Array, 5).data;
    let weights: Float64Array[] = before;
    const losses: number[] = [];
    for (const [from, to] of [
      [0, 8],
      [8, 11],
    ] as const) {
      const part = Float64Array.from(x.data.subarray(from * 144, to * 144));
      const step = forwardBackward(
        NETWORK,
        [12, 12, 1],
        weights,
        part,
        Float64Array.from(labels.subarray(from * 5, to * 5)),
      );
      losses.push(step.loss * (to - from));
      weights = sgdStep(weights, step.gradients, 0.1);
    }
    expectClose(history.history.loss, [(losses[0]! + losses[1]!) / 11], tolerances.trainingStep, "loss");
    const after = await model.getWeights();
    after.forEach(({ name, data }, i) => {
      expectClose(data, weights[i]!, tolerances.trainingStep, name);
    });
    model.dispose();
  });

  it("overfits 64 images", async () => {
    const model = await compiled(digitModel(), 1, 0.2);
    const { x, y } = await mnist("train", 0, 64);
    const { history } = await model.fit(x, tensor(y, [64]), { batchSize: 16, epochs: 40, verbose: 0 });
    expect(history.loss.at(-1)!).toBeLessThan(0.05);
    expect(history.accuracy!.at(-1)).toBe(1);
    model.dispose();
  });
});

describe("the same seed", () => {
  it("gives the same bits, however many steps go into a submit; another gives others", async () => {
    const { x, y } = noise(40, [4], 3);
    const run = async (seed: number, stepsPerExecution: number | "auto") => {
      const model = await compiled(tinyModel(), seed);
      const { history } = await model.fit(x, y, { batchSize: 7, epochs: 3, verbose: 0, stepsPerExecution });
      const weights = await allWeights(model);
      model.dispose();
      return { history, weights };
    };
    const first = await run(5, 1);
    for (const steps of [1, 4, "auto"] as const) expect(await run(5, steps)).toEqual(first);
    expect((await run(6, 1)).weights).not.toEqual(first.weights);
  });

  it("takes choices back", async () => {
    const { x, y } = noise(16, [12, 12, 1], 5);
    const model = await compiled(smallModel());
    await model.fit(x, y, { batchSize: 16, verbose: 0 });
    const { choices } = model.stats();
    const tile = { ...choices.conv2d!, blocksM: 1, blocksN: 1 };
    const other = smallModel();
    await other.compile({ ...sparse, optimizer: sgd(), runtime, choices: { ...choices, conv2d: tile } });
    await other.fit(x, y, { batchSize: 16, verbose: 0 });
    expect(other.stats().choices).toEqual({ ...choices, conv2d: tile });
    model.dispose();
    other.dispose();
  });
});

describe("data", () => {
  it("may be bytes with a scale, and predict applies the scale that fit was given", async () => {
    const bytes = Uint8Array.from({ length: 10 * 4 }, (_, i) => (i * 37) % 256);
    const { y } = noise(10, [4], 3);
    const asBytes = await compiled(tinyModel());
    const asFloats = await compiled(tinyModel());
    await asBytes.fit(tensor(bytes, [10, 4], { scale: 1 / 255 }), y, { batchSize: 5, verbose: 0 });
    const floats = tensor(
      Float32Array.from(bytes, (byte) => byte * Math.fround(1 / 255)),
      [10, 4],
    );
    await asFloats.fit(floats, y, { batchSize: 5, verbose: 0 });
    expectClose(await allWeights(asBytes), await allWeights(asFloats), tolerances.elementwise, "weights");
    const [a, b] = [await asBytes.predict(tensor(bytes, [10, 4])), await asFloats.predict(floats)];
    expectClose(a.data, b.data, tolerances.elementwise, "predictions");
    expect(a.shape).toEqual([10, 3]);
    const plain = await compiled(tinyModel());
    const unscaled = await plain.predict(tensor(bytes, [10, 4]));
    const raw = await plain.predict(tensor(Float32Array.from(bytes), [10, 4]));
    expect(unscaled.data).toEqual(raw.data);
    for (const model of [asBytes, asFloats, plain]) model.dispose();
  });

  it("may be nested arrays, or a Dataset that outlives the calls", async () => {
    const { x, y } = noise(9, [4], 3);
    const rows = Array.from({ length: 9 }, (_, i) => [...x.data.subarray(i * 4, i * 4 + 4)]);
    const dataset = await createDataset(runtime, { x, y });
    const [a, b] = [await compiled(tinyModel()), await compiled(tinyModel())];
    const one = await a.fit(rows, [...y.data], {
      batchSize: 4,
      epochs: 2,
      verbose: 0,
      validationData: [rows, [...y.data]],
    });
    const two = await b.fit(dataset, { batchSize: 4, epochs: 2, verbose: 0, validationData: dataset });
    expect(two).toEqual(one);
    expect(Object.keys(one.history)).toEqual(["loss", "accuracy", "val_loss", "val_accuracy"]);
    const held = await b.evaluate(dataset, { batchSize: 2 });
    expectClose([held.loss], [two.history.val_loss!.at(-1)!], tolerances.lossCurve, "evaluate");
    expect((await b.predict(dataset)).shape).toEqual([9, 3]);
    dataset.dispose();
    await expect(b.evaluate(dataset)).rejects.toThrow(/disposed/);
    a.dispose();
    b.dispose();
  });

  it("may come in larger batches later", async () => {
    const model = await compiled(tinyModel());
    const few = noise(3, [4], 3);
    const many = noise(50, [4], 3);
    await model.trainOnBatch(few.x, few.y);
    await model.trainOnBatch(many.x, many.y);
    const { data } = await model.predict(many.x, { batchSize: 50 });
    const small = await model.predict(many.x, { batchSize: 8 });
    expectClose(small.data, data, tolerances.softmax, "predictions in smaller batches");
    model.dispose();
  });
});

describe("a model without a loss", () => {
  it("predicts as a trained one with its weights does, and refuses the rest; compiled again, it trains", async () => {
    const [trained, reader] = [tinyModel(), tinyModel()];
    await trained.compile({ ...sparse, optimizer: sgd(), runtime, seed: 1 });
    await reader.compile({ optimizer: sgd(), metrics: ["accuracy"], runtime });
    await reader.setWeights(await trained.getWeights());
    const { x, y } = noise(5, [4], 3);
    expect((await reader.predict(x)).data).toEqual((await trained.predict(x)).data);
    await expect(reader.fit(x, y)).rejects.toThrow(
      /^fit: the model was compiled without a loss\. Give compile\(\) one\.$/,
    );
    await expect(reader.evaluate(x, y)).rejects.toThrow(/^evaluate: the model was compiled without a loss/);
    await reader.compile({ ...sparse, optimizer: sgd(), runtime });
    expect(await reader.trainOnBatch(x, y)).toEqual(await trained.trainOnBatch(x, y));
    trained.dispose();
    reader.dispose();
  });
});

describe("weights", () => {
  it("come and go in Keras's order, and survive a second compile", async () => {
    const model = await compiled(smallModel(), 3);
    const weights = await model.getWeights();
    expect(weights.map(({ name, shape }) => `${name} ${shape.join("x")}`)).toEqual([
      "conv2d/kernel 3x3x1x6",
      "conv2d/bias 6",
      "conv2d_1/kernel 3x3x6x8",
      "conv2d_1/bias 8",
      "dense/kernel 32x5",
      "dense/bias 5",
    ]);
    const other = await compiled(smallModel(), 4);
    await other.setWeights(weights);
    expect(await other.getWeights()).toEqual(weights);
    await other.compile({ ...sparse, optimizer: sgd(), runtime, seed: 9 });
    expect(await other.getWeights()).toEqual(weights);
    await expect(other.setWeights(weights.slice(1))).rejects.toThrow(/6 arrays/);
    await expect(other.setWeights([...weights.slice(0, 5), { data: [1] }])).rejects.toThrow(/dense\/bias/);
    expect(await other.getWeights()).toEqual(weights);
    model.dispose();
    other.dispose();
  });
});
