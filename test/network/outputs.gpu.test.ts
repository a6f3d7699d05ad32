import { afterAll, beforeAll, expect, it } from "vitest";
import {
  activation,
  createRuntime,
  defineLayer,
  dense,
  input,
  loadModel,
  model,
  ops,
  outputsOf,
  type Prediction,
  type Runtime,
  saveModel,
  sgd,
  tensor,
} from "../../src/index.ts";
import { dense as denseReference } from "../reference/matmul.ts";
import { softmax, sparseSoftmaxCrossEntropy } from "../reference/softmax.ts";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createRuntime();
});
afterAll(() => runtime.dispose());

it("an input and a tensor that comes twice are outputs like others", async () => {
  const x = input({ shape: [3], name: "x" });
  const y = dense({ units: 2, activation: "softmax", name: "y" })(x);
  const made = model({ inputs: x, outputs: [x, y, y] });
  await made.compile({ runtime });
  const numbers = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
  const predicted = await made.predict(tensor(numbers, [4, 3]));
  expect(Object.keys(predicted)).toEqual(["x", "y", "y_1"]);
  expect(predicted.x!.data).toEqual(numbers);
  expect(predicted.y_1).toEqual(predicted.y);
  made.dispose();

  // Trained by two losses of one tensor, as by one of twice the weight.
  const losses: number[] = [];
  for (const [outputs, weights] of [[{ a: y, b: y }, undefined] as const, [{ a: y }, { a: 2 }] as const]) {
    const trained = model({ inputs: x, outputs });
    const options = { optimizer: sgd({ learningRate: 0.25 }), ...(weights && { lossWeights: weights }) };
    await trained.compile({ loss: "sparseCategoricalCrossentropy", ...options, runtime, seed: 3 });
    const labels = Object.fromEntries(Object.keys(outputs).map((name) => [name, [0, 1, 1, 0]]));
    for (let step = 0; step < 2; step++)
      losses.push((await trained.trainOnBatch(tensor(numbers, [4, 3]), labels)).loss);
    trained.dispose();
  }
  losses.slice(0, 2).forEach((loss, i) => {
    expect(loss).toBeCloseTo(losses[2 + i]!, 5);
  });
  expect(losses[1]).toBeLessThan(losses[0]!);
});

it("a layer of two outputs is trained by what becomes of both, and is seen, saved and loaded as others are", async () => {
  const [rows, inputs, hidden, learningRate] = [5, 3, 4, 0.5];
  const Pair = (config: { name?: string } = {}) =>
    defineLayer({
      type: "Pair",
      name: config.name,
      config: {},
      variables: () => [
        { name: "left", shape: [hidden, 3], initializer: "glorotUniform" },
        { name: "right", shape: [hidden, 2], initializer: "glorotUniform" },
      ],
      call: ({ input: x, variables: { left, right }, add }) => [
        add(ops.dense, { x, kernel: left! }).y,
        add(ops.dense, { x, kernel: right! }).y,
      ],
    });
  const x = input({ shape: [inputs] });
  const [left, right] = Pair()(dense({ units: hidden, useBias: false, activation: "tanh" })(x));
  const probabilities = () => activation({ activation: "softmax" });
  const made = model({ inputs: x, outputs: { three: probabilities()(left), two: probabilities()(right) } });
  await made.compile({
    loss: "sparseCategoricalCrossentropy",
    lossWeights: { two: 0.5 },
    optimizer: sgd({ learningRate }),
    runtime,
    seed: 5,
  });

  const numbers = Float64Array.from({ length: rows * inputs }, (_, i) => Math.fround(Math.sin(3 * i)));
  const data = tensor(Float32Array.from(numbers), [rows, inputs]);
  const labels = { three: [0, 2, 1, 1, 0], two: [1, 0, 0, 1, 1] };
  const before = (await made.getWeights()).map((weight) => Float64Array.from(weight.data));
  const [h, l, r] = before as [Float64Array, Float64Array, Float64Array];
  /** Both outputs of the layer, in float64. */
  const forward = () => {
    const features = denseReference(numbers, h, undefined, { rows, inputs, units: hidden }).map(Math.tanh);
    const product = (kernel: Float64Array, units: number) =>
      denseReference(features, kernel, undefined, { rows, inputs: hidden, units });
    return [product(l, 3), product(r, 2)] as const;
  };
  const loss = () => {
    const [three, two] = forward();
    const { loss: first } = sparseSoftmaxCrossEntropy(three, labels.three, 3);
    return first + 0.5 * sparseSoftmaxCrossEntropy(two, labels.two, 2).loss;
  };

  const seen = await outputsOf(made, data);
  expect([...seen.keys()]).toEqual(["dense", "pair", "pair:1", "activation", "activation_1"]);
  const [three, two] = forward();
  expectClose(seen.get("pair")!.data, three, tolerances.trainingStep, "first output");
  expectClose(seen.get("pair:1")!.data, two, tolerances.trainingStep, "second output");
  const predicted = await made.predict(data);
  expectClose(predicted.two.data, softmax(two, 2), tolerances.trainingStep, "prediction");

  const wanted = before.map((weights) => {
    const gradient = numericGradient(loss, weights);
    return weights.map((value, i) => value - learningRate * gradient[i]!);
  });
  expectClose([(await made.trainOnBatch(data, labels)).loss], [loss()], tolerances.trainingStep, "loss");
  const after = await made.getWeights();
  expect(after.map(({ name }) => name)).toEqual(["dense/kernel", "pair/left", "pair/right"]);
  after.forEach(({ name, data }, i) => {
    expectClose(data, wanted[i]!, tolerances.trainingStep, name);
  });

  const options = { runtime, layers: { Pair } };
  const again = await loadModel<Record<"three" | "two", Prediction>>(await saveModel(made), options);
  expect(await again.predict(data)).toEqual(await made.predict(data));
  for (const one of [made, again]) one.dispose();
});
