import { describe, expect, it } from "vitest";
import {
  conv2d,
  dice,
  loadModel,
  meanSquaredError,
  saveModel,
  sequential,
  sgd,
  sparseCategoricalCrossentropy,
  tensor,
} from "../../src/index.ts";
import { randomArray, randomIntegers } from "../reference/random.ts";
import { softmaxCrossEntropy } from "../reference/softmax.ts";
import { expectClose } from "../support/compare.ts";
import { GraphRun, testRuntime } from "../support/run-graph.ts";
import { tolerances } from "../support/tolerances.ts";

const runtime = await testRuntime();

describe("oneHot", () => {
  it.each([
    [1, 1],
    [7, 3],
    [65, 4],
  ])("of %i rows of %i classes", async (rows, count) => {
    const numbers = randomIntegers(rows, 3, count + 1);
    const wanted = (ignored?: number) =>
      Array.from({ length: rows * count }, (_, i) => {
        const label = numbers[Math.floor(i / count)];
        return label === i % count && label !== ignored ? 1 : 0;
      });
    const run = new GraphRun();
    const whole = run.input("whole", [rows, 1], Uint32Array.from(numbers), "u32");
    const floats = run.input("floats", [rows], Float32Array.from(numbers));
    const shape = [rows, count];
    const all = [whole, floats].flatMap((x) => [
      run.add("oneHot", { x }, { shape }).y!,
      run.add("oneHot", { x }, { shape, ignored: 0 }).y!,
    ]);
    const read = await run.read(all);
    expect(read.map((values) => [...values])).toEqual([wanted(), wanted(0), wanted(), wanted(0)]);
  });

  it("gives a row of 0 for what is no class", async () => {
    const run = new GraphRun();
    const x = run.input("x", [4], Float32Array.of(-1, 0.5, Number.NaN, 1));
    const [y] = await run.read([run.add("oneHot", { x }, { shape: [4, 2] }).y!]);
    expect([...y!]).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });
});

it("softmaxCrossEntropy of images is the reference's for each pixel of the rows in use, and carries a NaN", async () => {
  const [batch, pixels, count, used] = [3, 7, 5, 2];
  const x = randomArray(batch * pixels * count, 1, -3, 3);
  x[3] = Number.NaN;
  x.fill(Number.NaN, used * pixels * count);
  const labels = randomArray(batch * pixels * count, 2, 0, 1);
  const dloss = randomArray(batch * pixels, 3);
  const run = new GraphRun().rows(used);
  const [xId, t] = [run.input("x", [batch, 1, pixels, count], x), run.input("t", [batch, 1, pixels, count], labels)];
  const { state } = run.graph;
  const { loss } = run.add("softmaxCrossEntropy", { x: xId, labels: t, state });
  const seed = run.input("dloss", [batch, 1, pixels], dloss);
  const { dx } = run.add("softmaxCrossEntropyGradient", { x: xId, labels: t, dloss: seed, state });
  const [gotLoss, gotDx] = await run.read([loss!, dx!]);
  const rows = used * pixels;
  // From the second pixel on: the first has the NaN.
  const want = softmaxCrossEntropy(x.slice(count, rows * count), labels.slice(count, rows * count), count);
  expect(gotLoss![0]).toBeNaN();
  expectClose(gotLoss!.slice(1, rows), want.losses, tolerances.crossEntropy, "loss");
  const wantDx = want.dLogits.map((value, i) => value * (rows - 1) * dloss[1 + Math.floor(i / count)]!);
  expectClose(gotDx!.slice(count, rows * count), wantDx, tolerances.crossEntropy, "dx");
  expect([...gotLoss!.slice(rows), ...gotDx!.slice(rows * count)].every((value) => value === 0)).toBe(true);
});

describe("a segmentation", () => {
  const [size, count] = [4, 3];
  const segmenter = () =>
    sequential([conv2d({ filters: count, kernelSize: 1, activation: "softmax", inputShape: [size, size, 2] })]);
  const x = tensor(randomArray(7 * size * size * 2, 4), [7, size, size, 2]);
  const numbers = randomIntegers(7 * size * size, 5, count);

  it("learns class numbers a pixel, whose ignored ones count for nothing, in short batches too", async () => {
    const labels = Float32Array.from(numbers, (value, i) => (i % 5 === 0 ? -1 : value));
    const model = segmenter();
    const loss = sparseCategoricalCrossentropy({ ignoreClass: -1 });
    await model.compile({ loss, optimizer: sgd({ learningRate: 0 }), runtime, seed: 3 });
    const y = tensor(labels, [7, size, size]);
    const { data } = await model.predict(x);
    const losses = Array.from(labels, (label, i) => (label < 0 ? 0 : -Math.log(data[i * count + label]!)));
    const meanOf = (from: number, to: number) => {
      const [start, end] = [from * size * size, to * size * size];
      const counted = labels.slice(start, end).filter((label) => label >= 0).length;
      return losses.slice(start, end).reduce((a, b) => a + b, 0) / counted;
    };
    // Keras's figure of an epoch weighs its batches' losses by their samples.
    const want = (5 * meanOf(0, 5) + 2 * meanOf(5, 7)) / 7;
    const got = await model.evaluate(x, y, { batchSize: 5 });
    expectClose([got.loss], [want], tolerances.lossCurve, "loss");
    model.dispose();
  });

  it("comes back from a file with the options of its loss, which is a metric, too", async () => {
    const model = segmenter();
    const metrics = [meanSquaredError({ name: "mse" }), dice()];
    await model.compile({ loss: dice({ axis: [1, 2, 3], reduction: "sum" }), metrics, optimizer: sgd(), runtime });
    const again = await loadModel(await saveModel(model), { runtime });
    const masks = Float32Array.from({ length: numbers.length * count }, (_, i) =>
      numbers[Math.floor(i / count)] === i % count ? 1 : 0,
    );
    const y = tensor(masks, [7, size, size, count]);
    const want = await model.evaluate(x, y, { batchSize: 4 });
    expect(Object.keys(want)).toEqual(["loss", "mse", "dice"]);
    expect(await again.evaluate(x, y, { batchSize: 4 })).toEqual(want);
    const { history } = await model.fit(x, y, { epochs: 3, batchSize: 4, verbose: 0 });
    expect(history.loss[2]!).toBeLessThan(history.loss[0]!);
    model.dispose();
    again.dispose();
  });
});
