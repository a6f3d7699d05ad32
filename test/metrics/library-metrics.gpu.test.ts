import { describe, expect, it } from "vitest";
import {
  binaryCrossentropy,
  confusionMatrix,
  confusionMatrixOf,
  conv2d,
  dense,
  f1Score,
  meanIoU,
  precision,
  recall,
  sequential,
  sgd,
  sparseCategoricalAccuracy,
  sparseCategoricalCrossentropy,
  tensor,
} from "../../src/index.ts";
import { randomArray, randomIntegers } from "../reference/random.ts";
import { expectClose } from "../support/compare.ts";
import { GraphRun, testRuntime } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

const runtime = await testRuntime();

describe("accumulateRows", () => {
  it.each([
    [1, 1],
    [7, 65],
    [65, 3],
  ])("adds %i rows of %i to sums of two parts", async (rows, size) => {
    const x = randomArray(rows * size, 1);
    const weights = randomArray(rows, 2, 0, 2);
    const used = Math.ceil(rows / 2);
    x.fill(Number.NaN, used * size);
    // Beside 2^25 a single float would lose the digits after the point.
    const before = Float32Array.from({ length: 2 * size }, (_, i) => (i < size ? 2 ** 25 : 0.25));
    for (const given of [undefined, weights]) {
      const run = new GraphRun().rows(used);
      const sums = run.input("sums", [2, size], before);
      const w = given && run.input("weights", [rows], given);
      run.add("accumulateRows", { x: run.input("x", [rows, size], x), state: run.graph.state, weights: w, sums });
      const [read] = await run.read([sums]);
      const got = Array.from({ length: size }, (_, k) => read![k]! + read![size + k]! - 2 ** 25 - 0.25);
      const want = Array.from({ length: size }, (_, k) =>
        Array.from({ length: used }, (_, r) => x[r * size + k]! * (given?.[r] ?? 1)).reduce((a, b) => a + b, 0),
      );
      expectClose(got, want, { atol: 1e-5, rtol: 1e-5 }, "sums");
    }
  });

  it("carries a NaN and an infinity, and no NaN in their low parts", async () => {
    const run = new GraphRun().rows(1);
    const sums = run.input("sums", [2, 2], new Float32Array(4));
    const x = run.input("x", [1, 2], Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY));
    run.add("accumulateRows", { x, state: run.graph.state, sums });
    expect([...(await run.read([sums]))[0]!]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 0, 0]);
  });
});

describe("argmax", () => {
  it.each([
    [1, 1],
    [7, 3],
    [65, 7],
  ])("of %i rows of %i is the first maximum, or the first NaN", async (rows, count) => {
    const x = Float32Array.from(randomIntegers(rows * count, 3, 4));
    if (rows > 1) x[count + 1] = Number.NaN;
    const run = new GraphRun();
    const [y] = await run.read([run.add("argmax", { x: run.input("x", [rows, count], x) }).y!]);
    const want = Array.from({ length: rows }, (_, r) => {
      const row = [...x.slice(r * count, (r + 1) * count)];
      const nan = row.findIndex(Number.isNaN);
      return nan >= 0 ? nan : row.indexOf(Math.max(...row));
    });
    expect([...y!]).toEqual(want);
  });
});

describe("metrics over a short last batch", () => {
  const argmaxOf = (data: ArrayLike<number>, count: number) =>
    Array.from({ length: data.length / count }, (_, r) => {
      const row = Array.from({ length: count }, (_, c) => data[r * count + c]!);
      return row.indexOf(Math.max(...row));
    });
  const matrixOf = (labels: ArrayLike<number>, taken: readonly number[], count: number) => {
    const matrix = Array.from({ length: count }, () => new Array<number>(count).fill(0));
    taken.forEach((each, i) => {
      matrix[labels[i]!]![each]!++;
    });
    return matrix;
  };

  it("count a confusion matrix and each class's score, of classes", async () => {
    const model = sequential([dense({ units: 4, activation: "softmax", inputShape: [3] })]);
    const metrics = [confusionMatrix(), f1Score(), f1Score({ average: "macro", name: "macro" })];
    await model.compile({ loss: "sparseCategoricalCrossentropy", metrics, optimizer: sgd(), runtime, seed: 1 });
    const x = tensor(randomArray(21 * 3, 1), [21, 3]);
    const y = randomIntegers(21, 2, 4);
    const logs = await model.evaluate(x, y, { batchSize: 8 });
    const { data } = await model.predict(x);
    const matrix = matrixOf(y, argmaxOf(data, 4), 4);
    expect(confusionMatrixOf(logs)).toEqual(matrix);
    const scores = matrix.map((row, k) => {
      const either = row.reduce((a, b) => a + b) + matrix.reduce((sum, each) => sum + each[k]!, 0);
      return (2 * row[k]!) / Math.max(either, 1);
    });
    expectClose(
      scores,
      [0, 1, 2, 3].map((k) => logs[`f1Score_${k}`]!),
      { atol: 1e-6, rtol: 0 },
      "scores",
    );
    expectClose([logs.macro!], [scores.reduce((a, b) => a + b) / 4], { atol: 1e-6, rtol: 0 }, "macro");
    const { history } = await model.fit(x, y, { batchSize: 8, epochs: 2, verbose: 0 });
    expect(history.confusionMatrix_0_0).toHaveLength(2);
    model.dispose();
  });

  it("count accuracy and IoU of images by class numbers", async () => {
    const model = sequential([conv2d({ filters: 3, kernelSize: 1, activation: "softmax", inputShape: [2, 3, 2] })]);
    const metrics = [sparseCategoricalAccuracy(), meanIoU({ numClasses: 3, sparseYPred: false, ignoreClass: 0 })];
    await model.compile({ loss: sparseCategoricalCrossentropy(), metrics, optimizer: sgd(), runtime, seed: 1 });
    const x = tensor(randomArray(7 * 12, 1), [7, 2, 3, 2]);
    const numbers = randomIntegers(7 * 6, 2, 3);
    const logs = await model.evaluate(x, tensor(Float32Array.from(numbers), [7, 2, 3]), { batchSize: 4 });
    const taken = argmaxOf((await model.predict(x)).data, 3);
    const hits = taken.filter((each, i) => each === numbers[i]).length;
    expectClose([logs.sparseCategoricalAccuracy!], [hits / 42], tolerances.elementwise, "accuracy");
    const counted = taken.map((each, i) => [numbers[i]!, each]).filter(([label]) => label !== 0);
    const shares = [0, 1, 2].flatMap((k) => {
      const either = counted.filter((pair) => pair.includes(k)).length;
      return either === 0 ? [] : [counted.filter(([a, b]) => a === k && b === k).length / either];
    });
    const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
    expectClose([logs.meanIoU!], [mean], { atol: 1e-6, rtol: 0 }, "IoU");
    model.dispose();
  });

  it("of one number: accuracy is binary, and precision and recall count", async () => {
    const model = sequential([dense({ units: 1, activation: "sigmoid", inputShape: [3] })]);
    const metrics = ["accuracy", precision(), recall()] as const;
    await model.compile({ loss: binaryCrossentropy(), metrics, optimizer: sgd(), runtime, seed: 2 });
    const x = tensor(randomArray(21 * 3, 1), [21, 3]);
    const y = randomIntegers(21, 2, 2);
    const logs = await model.evaluate(x, y, { batchSize: 8 });
    const taken = Array.from((await model.predict(x)).data, (p) => (p > 0.5 ? 1 : 0));
    const count = (label: number, each: number) => taken.filter((one, i) => one === each && y[i] === label).length;
    const hits = count(1, 1) + count(0, 0);
    const want = [hits / 21, count(1, 1) / (count(1, 1) + count(0, 1)), count(1, 1) / (count(1, 1) + count(1, 0))];
    expectClose([logs.accuracy!, logs.precision!, logs.recall!], want, tolerances.elementwise, "figures");
    model.dispose();
  });
});
