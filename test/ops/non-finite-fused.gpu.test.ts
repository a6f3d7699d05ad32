import { describe, expect, it } from "vitest";
import {
  averagePooling2d as averageLayer,
  conv2d as convLayer,
  dense as denseLayer,
  flatten,
  maxPooling2d as maxLayer,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import { activate, activationGradient } from "../reference/activation.ts";
import { conv2d, type Shape4 } from "../reference/conv2d.ts";
import { dense, denseGradients } from "../reference/matmul.ts";
import { averagePooling2d, maxPooling2d } from "../reference/pooling2d.ts";
import { randomArray } from "../reference/random.ts";
import { softmaxCrossEntropy } from "../reference/softmax.ts";
import { DIRECT } from "../support/choices.ts";
import { expectCarried, kindOfBits } from "../support/compare.ts";
import { nonFinite, placesOf, withBits } from "../support/non-finite.ts";
import { GraphRun, testRuntime } from "../support/run-graph.ts";
import { sumTolerance, winogradTolerance } from "../support/tolerances.ts";

// Numbers that are not finite, told by bits, in the kernels that do the work of several: see non-finite.test.ts.

const KINDS = ["relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus"] as const;
const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const isNaN32 = (values: Float32Array) =>
  Array.from(new Uint32Array(values.slice().buffer), (bits) => kindOfBits(bits) === "NaN");

describe.each(KINDS)("a dense layer with %s", (kind) => {
  it.each(["software", "gpu"] as const)(
    "carries NaN of an input, a weight and a bias through, on %s",
    async (adapter) => {
      const [rows, inputs, units] = [6, 7, 6];
      const places = placesOf(inputs).slice(-3);
      const x = withBits(
        randomArray(rows * inputs, 1),
        "NaN",
        places.map((at, r) => (r + 1) * inputs + at),
      );
      const [w, b] = [randomArray(inputs * units, 2), withBits(randomArray(units, 3), "negative NaN", [units - 1])];
      const below = withBits(randomArray(rows * inputs, 4, 0.1, 0.9), "NaN", [0, 3, 8, 13]);
      const dY = withBits(randomArray(rows * units, 5), "NaN", [units]);
      const run = new GraphRun();
      const wId = run.input("w", [inputs, units], w);
      const { y: z } = run.add("dense", {
        x: run.input("x", [rows, inputs], x),
        kernel: wId,
        bias: run.input("b", [units], b),
      });
      const { y } = run.add("activation", { x: z! }, { kind });
      const { dx: dX } = run.add("denseInputGradient", { dy: run.input("dy", [rows, units], dY), kernel: wId });
      const { dx: dBelow } = run.add(
        "activationGradient",
        { dy: dX!, y: run.input("below", [rows, inputs], below) },
        { kind },
      );
      const [gotY, gotD] = await run.read([y!, dBelow!], { adapter });
      expect(run.graph.nodes.some(({ op }) => op.startsWith("activation"))).toBe(false);
      const sizes = { rows, inputs, units };
      expectCarried(gotY!, activate(kind, dense(x, w, b, sizes)), sumTolerance(inputs), "y");
      const { dX: product } = denseGradients(x, w, dY, sizes);
      expectCarried(gotD!, activationGradient(kind, below, product), sumTolerance(units), "dX");
    },
  );
});

describe.each(nonFinite)("a last dense layer under cross-entropy, with %s", (kind) => {
  it("carries it into loss, hits and gradients of its row, and of no row that is not in use", async () => {
    const [rows, used, inputs, units] = [6, 4, 5, 6];
    const h = withBits(randomArray(rows * inputs, 1), kind, [inputs, 3 * inputs + 2, 4 * inputs, 5 * inputs + 4]);
    const w = randomArray(inputs * units, 2);
    const labels = new Float32Array(rows * units);
    for (let r = 0; r < rows; r++) labels[r * units + (r % 3)] = 1;
    const run = new GraphRun().rows(used);
    const [hId, wId] = [run.input("h", [rows, inputs], h), run.input("w", [inputs, units], w)];
    const { y: x } = run.add("dense", { x: hId, kernel: wId });
    const labelsId = run.input("labels", [rows, units], labels);
    const { loss, hits, gradients } = run.crossEntropy(x!, labelsId, [x!, hId]);
    const [dX, dH] = gradients;
    const { dx: dZ } = run.add("activationGradient", { dy: dH!, y: hId }, { kind: "tanh" });
    const read = await run.read([loss, hits, dX!, dZ!], { adapter: "gpu" });
    expect(run.graph.nodes.map(({ op }) => op)).toEqual(["denseCrossEntropy"]);
    const want = softmaxCrossEntropy(dense(h, w, undefined, { rows, inputs, units }), labels, units, used);
    const wantDH = denseGradients(h, w, want.dLogits, { rows, inputs, units }).dX;
    expectCarried(read[0]!, want.losses, sumTolerance(inputs, 4), "loss");
    expect([...read[1]!]).toEqual([...want.correct]);
    expectCarried(read[2]!, want.dLogits, sumTolerance(inputs, 4), "dX");
    const wantDZ = activationGradient("tanh", h, wantDH);
    expectCarried(read[3]!.subarray(0, used * inputs), wantDZ.subarray(0, used * inputs), sumTolerance(units, 4), "dH");
  });
});

const CONVOLUTIONS = [
  { kind: "relu", pool: undefined },
  { kind: "tanh", pool: undefined },
  { kind: "relu", pool: "max" },
  { kind: "tanh", pool: "max" },
  { kind: "relu", pool: "mean" },
] as const;

describe.each(CONVOLUTIONS)("a convolution with $kind and a pooling: $pool", ({ kind, pool }) => {
  const xShape: Shape4 = [3, 8, 8, 4];
  const kShape: Shape4 = [3, 3, 4, 6];
  const plain = { strides: [1, 1], padding: "same" } as const;
  const window = { poolSize: [2, 2], strides: [2, 2], padding: "valid" } as const;
  const k = randomArray(size(kShape), 2);
  const b = randomArray(6, 3);
  // The second image has one in its midst, in one channel; so has its first and last pixel.
  const places = [1, 2].flatMap((image) => [image * 256 + (image === 1 ? 4 * 8 + 3 : 0) * 4 + image]);
  const x = withBits(randomArray(size(xShape), 1), "NaN", places);

  it.each([
    [undefined, "software"],
    [undefined, "gpu"],
    ["winograd6", "software"],
    ["winograd6", "gpu"],
  ] as const)("carries a pixel of NaN into each window that has it (%s, %s)", async (algorithm, adapter) => {
    const run = new GraphRun().rows(3);
    const { y: z } = run.add(
      "conv2d",
      { x: run.input("x", xShape, x), kernel: run.input("k", kShape, k), bias: run.input("b", [6], b) },
      plain,
    );
    const { y } = run.add("activation", { x: z! }, { kind });
    const attributes = { size: [2, 2], strides: [2, 2], padding: "valid" };
    const result =
      pool === undefined ? y! : run.add(pool === "max" ? "maxPooling2d" : "averagePooling2d", { x: y }, attributes).y!;
    const [got] = await run.read([result], { adapter, ...(algorithm && { algorithm }) });
    expect(run.graph.nodes.map(({ op }) => op).filter((op) => /activation|Pooling2d/.test(op))).toEqual([]);
    const conv = conv2d(x, xShape, k, kShape, b, plain);
    const made = activate(kind, conv.y);
    const want =
      pool === undefined
        ? made
        : pool === "max"
          ? maxPooling2d(made, conv.shape, window).y
          : averagePooling2d(made, conv.shape, window).y;
    expect(want.some(Number.isNaN)).toBe(true);
    if (algorithm === undefined) return expectCarried(got!, want, sumTolerance(36), "y");
    // Winograd's tiles spread it over more of the image, and over no other.
    const nan = isNaN32(got!);
    expect([...want.keys()].filter((at) => Number.isNaN(want[at]!) && !nan[at])).toEqual([]);
    const first = want.length / 3;
    expectCarried(got!.subarray(0, first), want.subarray(0, first), winogradTolerance(36, 6), "the image without");
  });
});

describe("a training step with one image of NaN in thirty", () => {
  // As Keras 3.15.1 on JAX: `loss` NaN, and weights all NaN but what relu keeps from the bias.
  it.each([
    ["tanh", undefined, {}],
    ["tanh", maxLayer({ poolSize: 2 }), DIRECT],
    ["softplus", averageLayer({ poolSize: 2 }), DIRECT],
    ["relu", maxLayer({ poolSize: 2 }), {}],
  ] as const)("tells of it by the loss, behind %s", async (activation, pool, choices) => {
    const images = withBits(randomArray(30 * 64, 1, 0, 1), "NaN", [7 * 64 + 3 * 8 + 4]);
    const model = sequential([
      convLayer({ filters: 4, kernelSize: 3, activation, inputShape: [8, 8, 1] }),
      ...(pool ? [pool] : []),
      flatten(),
      denseLayer({ units: 10, activation: "softmax" }),
    ]);
    const runtime = await testRuntime();
    await model.compile({
      loss: "sparseCategoricalCrossentropy",
      optimizer: sgd(),
      metrics: ["accuracy"],
      runtime,
      choices,
    });
    const x = tensor(images, [30, 8, 8, 1]);
    const y = Array.from({ length: 30 }, (_, i) => i % 10);
    const before = await model.predict(x);
    expect(isNaN32(before.data as Float32Array)).toEqual(
      Array.from({ length: 300 }, (_, i) => Math.floor(i / 10) === 7),
    );
    const { loss, accuracy } = await model.trainOnBatch(x, y);
    expect(loss).toBeNaN();
    // The image of NaN counts for class 0, as Keras's argmax of its prediction has it; its label is 7.
    const hits = Array.from({ length: 30 }, (_, i) => {
      const row = Array.from(before.data.subarray(i * 10, i * 10 + 10));
      return i !== 7 && row.indexOf(Math.max(...row)) === y[i] ? 1 : 0;
    });
    expect(accuracy! * 30).toBeCloseTo(
      hits.reduce((a: number, b) => a + b, 0),
      4,
    );
    const [kernel, bias, dense, denseBias] = (await model.getWeights()).map(({ data }) => isNaN32(data));
    for (const weights of [kernel!, dense!, denseBias!]) expect(weights.every((nan) => nan)).toBe(true);
    if (activation !== "relu") expect(bias!.every((nan) => nan)).toBe(true);
    model.dispose();
  });

  it("goes on behind tanh where the pixel is Infinity, and loses the filter alone, as Keras does", async () => {
    const images = withBits(randomArray(30 * 64, 1, 0, 1), "Infinity", [7 * 64 + 3 * 8 + 4]);
    const model = sequential([
      convLayer({ filters: 4, kernelSize: 3, activation: "tanh", inputShape: [8, 8, 1] }),
      flatten(),
      denseLayer({ units: 10, activation: "softmax" }),
    ]);
    const runtime = await testRuntime();
    await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: sgd(), runtime, choices: DIRECT });
    const y = Array.from({ length: 30 }, (_, i) => i % 10);
    const { loss } = await model.trainOnBatch(tensor(images, [30, 8, 8, 1]), y);
    expect(loss).toBeGreaterThan(0);
    const [kernel, ...others] = (await model.getWeights()).map(({ data }) => isNaN32(data));
    expect(kernel!.every((nan) => nan)).toBe(true);
    expect(others.flat().some((nan) => nan)).toBe(false);
    model.dispose();
  });
});
