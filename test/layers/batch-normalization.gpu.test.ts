import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { goldenWeights, uniform } from "../../cli/keras/formula.ts";
import {
  activation,
  adam,
  batchNormalization,
  conv2d,
  createRuntime,
  dense,
  flatten,
  loadModel,
  type Runtime,
  restore,
  type Sequential,
  saveModel,
  sequential,
  sgd,
  snapshot,
  tensor,
} from "../../src/index.ts";
import golden from "../golden/batch-normalization.json";
import { activate, activationGradient } from "../reference/activation.ts";
import { conv2dFilterGradient, conv2d as conv2dReference, type Shape4 } from "../reference/conv2d.ts";
import { denseGradients, dense as denseReference } from "../reference/matmul.ts";
import { batchMoments, batchNormalizationGradient, moved, normalization } from "../reference/normalization.ts";
import { softmax, sparseSoftmaxCrossEntropy } from "../reference/softmax.ts";
import { expectClose } from "../support/compare.ts";
import { allWeights, noise } from "../support/models.ts";
import { tolerances } from "../support/tolerances.ts";

const { side, channels, filters, classes, learningRate, momentum } = golden;
const EPSILON = 1e-3;

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

/** Keras's network of `make_batch_normalization.py`: a convolution, its normalization and relu, and a classifier. */
async function compiled({ trainable = true, optimizer = sgd({ learningRate }) } = {}): Promise<Sequential> {
  const model = sequential([
    conv2d({ filters, kernelSize: 3, inputShape: [side, side, channels] }),
    batchNormalization({ momentum, trainable }),
    activation({ activation: "relu" }),
    flatten(),
    dense({ units: classes, activation: "softmax" }),
  ]);
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime, seed: 2 });
  return model;
}

const batchOf = (rows: number) => noise(rows, [side, side, channels], classes);

/** Loss and weights after a step of the network in float64, of the rows of a batch. */
function step(weights: readonly Float64Array[], x: Float64Array, y: readonly number[]) {
  const [k, b, gamma, beta, mean, variance, w, c] = weights as Float64Array[];
  const xShape: Shape4 = [y.length, side, side, channels];
  const kShape: Shape4 = [3, 3, channels, filters];
  const options = { strides: [1, 1], padding: "valid" } as const;
  const sums = conv2dReference(x, xShape, k!, kShape, b, options);
  const scaling = { gamma: gamma!, beta: beta!, epsilon: EPSILON };
  const moments = batchMoments(sums.y, filters);
  const z = activate("relu", normalization(sums.y, moments, scaling));
  const sizes = { rows: y.length, inputs: z.length / y.length, units: classes };
  const { loss, dLogits } = sparseSoftmaxCrossEntropy(denseReference(z, w!, c, sizes), y, classes);
  const top = denseGradients(z, w!, dLogits, sizes);
  const middle = batchNormalizationGradient(sums.y, activationGradient("relu", z, top.dX), filters, scaling);
  const bottom = conv2dFilterGradient(x, xShape, middle.dX, sums.shape, kShape, options);
  const stepped = (from: Float64Array, by: Float64Array) => from.map((value, i) => value - learningRate * by[i]!);
  return {
    loss,
    weights: [
      stepped(k!, bottom.dK),
      stepped(b!, bottom.dB),
      stepped(gamma!, middle.dGamma),
      stepped(beta!, middle.dBeta),
      moved(mean!, moments.mean, momentum),
      moved(variance!, moments.variance, momentum),
      stepped(w!, top.dW),
      stepped(c!, top.dB),
    ],
  };
}

/** Probabilities by the moving statistics. */
function predicted(weights: readonly Float64Array[], x: Float64Array, rows: number): Float64Array {
  const [k, b, gamma, beta, mean, variance, w, c] = weights as Float64Array[];
  const options = { strides: [1, 1], padding: "valid" } as const;
  const sums = conv2dReference(x, [rows, side, side, channels], k!, [3, 3, channels, filters], b, options);
  const scaling = { gamma: gamma!, beta: beta!, epsilon: EPSILON };
  const z = activate("relu", normalization(sums.y, { mean: mean!, variance: variance! }, scaling));
  return softmax(denseReference(z, w!, c, { rows, inputs: z.length / rows, units: classes }), classes);
}

describe("a model with batch normalization", () => {
  it("trains as the reference says over three steps, the last of a short batch, and predicts by the moving statistics", async () => {
    const model = await compiled();
    const { x, y } = batchOf(11);
    let weights: Float64Array[] = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
    const numbers = Float64Array.from(x.data);
    const row = side * side * channels;
    let total = 0;
    for (const [from, to] of [
      [0, 5],
      [5, 10],
      [10, 11],
    ] as const) {
      const done = step(weights, numbers.slice(from * row, to * row), Array.from(y.data).slice(from, to));
      total += done.loss * (to - from);
      weights = done.weights;
    }
    const { history } = await model.fit(x, y, { epochs: 1, batchSize: 5, shuffle: false, verbose: 0 });
    expectClose(history.loss!, [total / 11], tolerances.trainingStep, "loss");
    const got = await model.getWeights();
    expect(got.map(({ name }) => name).slice(2, 6)).toEqual(
      ["gamma", "beta", "moving_mean", "moving_variance"].map((name) => `batch_normalization/${name}`),
    );
    got.forEach(({ name, data }, i) => {
      expectClose(data, weights[i]!, tolerances.trainingStep, name);
    });

    const want = predicted(weights, numbers, 11);
    const { data } = await model.predict(x, { batchSize: 4 });
    expectClose(data, want, tolerances.trainingStep, "predictions");
    const losses = Array.from(y.data, (label, r) => -Math.log(want[r * classes + label]!));
    const { loss } = await model.evaluate(x, y, { batchSize: 4 });
    expectClose([loss], [losses.reduce((a, b) => a + b) / 11], tolerances.trainingStep, "loss of evaluate");
    // Looking moves nothing.
    expect(await model.getWeights()).toEqual(got);
    model.dispose();
  });

  it("trains and predicts as Keras does", async () => {
    const { rows } = golden;
    const model = await compiled();
    const start = goldenWeights(await model.getWeights());
    start[2]!.fill(1);
    start[5]!.fill(1);
    await model.setWeights(start.map((data) => ({ data })));
    const size = rows * side * side * channels;
    const x = tensor(
      Float32Array.from({ length: size }, (_, i) => 4 * uniform(101, i) - 1),
      [rows, side, side, channels],
    );
    const y = tensor(
      Uint32Array.from({ length: rows }, (_, i) => i % classes),
      [rows],
    );
    for (const want of golden.losses) {
      const { loss } = await model.trainOnBatch(x, y);
      expectClose([loss], [want], tolerances.trainingStep, "loss");
    }
    const weights = await model.getWeights();
    expect(weights.map(({ name }) => `sequential/${name}`)).toEqual(golden.weights.map(({ path }) => path));
    weights.forEach(({ name, data }, i) => {
      expectClose(data, golden.weights[i]!.values, tolerances.trainingStep, name);
    });
    const { loss } = await model.evaluate(x, y);
    expectClose([loss], [golden.evaluated], tolerances.trainingStep, "loss of evaluate");
    expectClose((await model.predict(x)).data, golden.predicted, tolerances.trainingStep, "predictions");
    model.dispose();
  });

  it("keeps its statistics in saved models and snapshots, and goes on from one to the same bits", async () => {
    const { x, y } = batchOf(8);
    const [one, other] = [await compiled({ optimizer: adam() }), await compiled({ optimizer: adam() })];
    const train = (model: Sequential) => model.fit(x, y, { epochs: 2, batchSize: 3, verbose: 0 });
    await train(one);
    const taken = await snapshot(one);
    const statistics = (await one.getWeights()).slice(4, 6);
    expect([...statistics[0]!.data, ...statistics[1]!.data]).not.toEqual([0, 0, 0, 1, 1, 1]);
    const loaded = await loadModel(await saveModel(one), { runtime });
    expect(await allWeights(loaded)).toEqual(await allWeights(one));
    expect((await loaded.predict(x)).data).toEqual((await one.predict(x)).data);
    await train(one);
    await restore(other, taken);
    expect((await other.getWeights()).slice(4, 6)).toEqual(statistics);
    await train(other);
    expect(await allWeights(other)).toEqual(await allWeights(one));
    for (const model of [one, other, loaded]) model.dispose();
  });

  it("normalizes by its moving statistics, and changes none of its own, where it is frozen", async () => {
    const { x, y } = batchOf(6);
    const model = await compiled({ trainable: false });
    const before = await model.getWeights();
    const { data } = await model.predict(x);
    const losses = Array.from(y.data, (label, r) => -Math.log(data[r * classes + label]!));
    const { loss } = await model.trainOnBatch(x, y);
    // Of the moving statistics, as predict's.
    expectClose([loss], [losses.reduce((a, b) => a + b) / 6], tolerances.trainingStep, "loss");
    const after = await model.getWeights();
    after.forEach(({ name, data }, i) => {
      if (name.startsWith("batch_normalization/")) expect(data, name).toEqual(before[i]!.data);
      else expect(data, name).not.toEqual(before[i]!.data);
    });
    model.dispose();
  });
});
