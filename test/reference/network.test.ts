import { describe, expect, it } from "vitest";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";
import { forwardBackward, type LayerSpec, sgdStep, weightShapes } from "./network.ts";
import { randomArray, randomIntegers } from "./random.ts";

const randomWeights = (network: readonly LayerSpec[], inputShape: readonly number[]) =>
  weightShapes(network, inputShape).map((shape, index) =>
    randomArray(
      shape.reduce((product, length) => product * length),
      100 + index,
    ),
  );

const everyLayer: LayerSpec[] = [
  { layer: "conv2d", filters: 3, kernelSize: 3, padding: "same", activation: "tanh" },
  { layer: "maxPooling2d", poolSize: 3, strides: 2, padding: "same" },
  { layer: "conv2d", filters: 2, kernelSize: [2, 3], strides: [1, 2], activation: "relu", useBias: false },
  { layer: "averagePooling2d", poolSize: [2, 1], strides: 1, padding: "same" },
  { layer: "flatten" },
  { layer: "dense", units: 4, activation: "sigmoid" },
  { layer: "dense", units: 3, activation: "softmax" },
];

const channelByChannel: LayerSpec[] = [
  { layer: "depthwiseConv2d", kernelSize: [3, 2], depthMultiplier: 2, strides: 2, padding: "same", activation: "tanh" },
  { layer: "depthwiseConv2d", kernelSize: 2, useBias: false },
  { layer: "globalAveragePooling2d" },
  { layer: "dense", units: 3, activation: "softmax" },
];

describe("network reference", () => {
  it("lists weight shapes in Keras's order", () => {
    expect(weightShapes(everyLayer, [7, 6, 1])).toEqual([[3, 3, 1, 3], [3], [2, 3, 3, 2], [6, 4], [4], [4, 3], [3]]);
    expect(weightShapes(channelByChannel, [7, 6, 1])).toEqual([[3, 2, 1, 2], [2], [2, 2, 2, 1], [2, 3], [3]]);
  });

  it("starts at log(classes) with zero weights, and only the last bias has a gradient", () => {
    const network: LayerSpec[] = [{ layer: "dense", units: 4, activation: "softmax" }];
    const weights = [new Float64Array(8), new Float64Array(4)];
    const labels = [1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    const step = forwardBackward(network, [2], weights, new Float64Array(8), labels);
    expectClose([step.loss], [Math.log(4)], tolerances.float64, "loss");
    expect(step.correct).toBe(2);
    expect([...step.gradients[0]!]).toEqual(new Array(8).fill(0));
    expectClose(step.gradients[1]!, [-0.25, 0, 0.25, 0], tolerances.float64, "bias gradient");
    expectClose(step.probabilities, new Array(16).fill(0.25), tolerances.float64, "probabilities");
  });

  it.each([
    [everyLayer, 3],
    [everyLayer, 2],
    [channelByChannel, 3],
  ])("has the gradients of finite differences through every layer, case %#", (network, rowsInUse) => {
    const weights = randomWeights(network, [7, 6, 1]);
    const x = randomArray(3 * 42, 1);
    const labels = randomArray(9, 2, 0, 1);
    const run = () => forwardBackward(network, [7, 6, 1], weights, x, labels, rowsInUse);
    const { gradients } = run();
    expect(gradients.length).toBe(weights.length);
    for (const [index, weight] of weights.entries()) {
      const want = numericGradient(() => run().loss, weight);
      expectClose(gradients[index]!, want, tolerances.finiteDifference, `gradient ${index}`);
      expect(Math.max(...want.map(Math.abs))).toBeGreaterThan(1e-4);
    }
  });

  it("uses Keras's defaults: pool strides of the pool's size, valid, linear", () => {
    const network: LayerSpec[] = [
      { layer: "conv2d", filters: 2, kernelSize: 2 },
      { layer: "maxPooling2d" },
      { layer: "flatten" },
      { layer: "dense", units: 3, activation: "softmax" },
    ];
    // 6 - 2 + 1 = 5 by 5, pooled to 2 by 2 of 2 channels.
    expect(weightShapes(network, [6, 6, 3])).toEqual([[2, 2, 3, 2], [2], [8, 3], [3]]);
  });

  it("learns by gradient descent", () => {
    let weights = randomWeights(everyLayer, [7, 6, 1]);
    const x = randomArray(4 * 42, 1);
    const labels = new Float64Array(12);
    for (const [row, label] of randomIntegers(4, 5, 3).entries()) labels[row * 3 + label] = 1;
    const losses: number[] = [];
    let correct = 0;
    for (let step = 0; step < 200; step++) {
      const done = forwardBackward(everyLayer, [7, 6, 1], weights, x, labels);
      weights = sgdStep(weights, done.gradients, 0.5);
      losses.push(done.loss);
      correct = done.correct;
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]! / 5);
    expect(correct).toBe(4);
  });

  it("refuses networks it has no reference for", () => {
    const flat: LayerSpec = { layer: "dense", units: 2, activation: "softmax" };
    const run = (network: LayerSpec[], inputShape: number[], weights = randomWeights(network, inputShape)) =>
      forwardBackward(network, inputShape, weights, new Float64Array(4), [1, 0]);
    expect(() => run([{ layer: "flatten" }], [2, 2, 1])).toThrow("the last layer, and no other");
    expect(() => run([flat, flat], [4])).toThrow("the last layer, and no other");
    expect(() => run([flat], [2, 2, 1])).toThrow("put flatten before it");
    expect(() => run([flat], [4], [new Float64Array(8), new Float64Array(2), new Float64Array(1)])).toThrow(
      "3 weights, the layers take 2",
    );
  });
});
