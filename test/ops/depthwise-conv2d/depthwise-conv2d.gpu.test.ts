import { describe, expect, it } from "vitest";
import {
  createRuntime,
  dense,
  flatten,
  depthwiseConv2d as layer,
  maxPooling2d,
  sequential,
  sgd,
} from "../../../src/index.ts";
import { activate, activationGradient } from "../../reference/activation.ts";
import type { Padding, Pair, Shape4 } from "../../reference/conv2d.ts";
import {
  depthwiseConv2d,
  depthwiseConv2dFilterGradient,
  depthwiseConv2dInputGradient,
} from "../../reference/depthwise-conv2d.ts";
import { denseGradients, dense as denseReference } from "../../reference/matmul.ts";
import {
  averagePooling2d,
  averagePooling2dGradient,
  maxPooling2dGradient,
  maxPooling2d as maxPoolingReference,
} from "../../reference/pooling2d.ts";
import { randomArray } from "../../reference/random.ts";
import { sparseSoftmaxCrossEntropy } from "../../reference/softmax.ts";
import { expectCarried, expectClose } from "../../support/compare.ts";
import { noise } from "../../support/models.ts";
import { nonFinite, withBits } from "../../support/non-finite.ts";
import { GraphRun } from "../../support/run-graph.ts";
import { sumTolerance, tolerances } from "../../support/tolerances.ts";

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

interface Case {
  readonly x: Shape4;
  readonly kernel: Pair;
  readonly multiplier: number;
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilation?: Pair;
  /** Rows of the batch in use. */
  readonly rows: number;
}

// Pairwise: channels in and out by four and not, multipliers of each kind, odd sizes, strides with and without gaps, short batches.
const CASES: Case[] = [
  { x: [1, 1, 1, 1], kernel: [1, 1], multiplier: 1, strides: [1, 1], padding: "valid", rows: 1 },
  { x: [2, 7, 7, 7], kernel: [3, 3], multiplier: 1, strides: [1, 1], padding: "same", rows: 1 },
  { x: [5, 7, 5, 4], kernel: [3, 2], multiplier: 1, strides: [2, 1], padding: "valid", rows: 4 },
  { x: [3, 6, 7, 3], kernel: [2, 3], multiplier: 2, strides: [2, 3], padding: "same", rows: 2 },
  { x: [2, 7, 6, 4], kernel: [3, 3], multiplier: 3, strides: [1, 2], padding: "same", rows: 2 },
  { x: [1, 5, 5, 65], kernel: [3, 3], multiplier: 1, strides: [1, 1], padding: "same", rows: 1 },
  // What a processor computes by tiles of 4 x 4, 2 x 4 and 1 x 4 positions: tiles that are cut, strides within them.
  { x: [3, 8, 9, 8], kernel: [3, 3], multiplier: 1, strides: [2, 2], padding: "same", rows: 2 },
  { x: [2, 9, 5, 3], kernel: [5, 3], multiplier: 1, strides: [1, 1], padding: "same", rows: 1 },
  { x: [2, 6, 9, 4], kernel: [5, 5], multiplier: 1, strides: [1, 4], padding: "valid", rows: 2 },
  { x: [2, 5, 4, 7], kernel: [2, 2], multiplier: 4, strides: [1, 1], padding: "valid", rows: 1 },
  { x: [7, 4, 65, 2], kernel: [1, 5], multiplier: 3, strides: [1, 1], padding: "same", rows: 6 },
  { x: [2, 9, 8, 1], kernel: [2, 2], multiplier: 8, strides: [3, 3], padding: "valid", rows: 2 },
  { x: [65, 3, 2, 5], kernel: [4, 1], multiplier: 2, strides: [1, 1], padding: "same", rows: 60 },
  { x: [2, 7, 9, 4], kernel: [3, 3], multiplier: 1, strides: [1, 1], padding: "same", dilation: [2, 3], rows: 1 },
  { x: [3, 8, 6, 3], kernel: [3, 2], multiplier: 2, strides: [1, 1], padding: "valid", dilation: [3, 4], rows: 3 },
];

describe.each(CASES)(
  "depthwiseConv2d $x $kernel times $multiplier, strides $strides, $padding, dilation $dilation",
  (test) => {
    const { x: xShape, kernel, multiplier, strides, padding, dilation, rows } = test;
    const options = { strides, padding, ...(dilation && { dilation }) };
    const kShape: Shape4 = [...kernel, xShape[3], multiplier];
    const outC = xShape[3] * multiplier;
    const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(outC, 3)];
    const { y: wantY, shape: yShape } = depthwiseConv2d(x, xShape, k, kShape, b, options);
    const dY = randomArray(size(yShape), 4);

    it.each(["software", "gpu"] as const)("matches the reference forward and backward, for %s", async (adapter) => {
      // Rows that are not in use are NaN, which no sum over the batch may meet.
      const masked = (values: Float64Array, shape: Shape4) =>
        values.map((value, at) => (at < (size(shape) / shape[0]) * rows ? value : Number.NaN));
      const [maskedX, maskedDY] = [masked(x, xShape), masked(dY, yShape)];
      const run = new GraphRun().rows(rows);
      const [xId, kId, bId] = [run.input("x", xShape, maskedX), run.input("k", kShape, k), run.input("b", [outC], b)];
      const dYId = run.input("dy", yShape, maskedDY);
      const { y } = run.add("depthwiseConv2d", { x: xId, kernel: kId, bias: bId }, options);
      const input = { ...options, inputShape: xShape };
      const { dx } = run.add("depthwiseConv2dInputGradient", { dy: dYId, kernel: kId }, input);
      const filter = { ...options, kernelShape: kShape, hasBias: true };
      const { dkernel, dbias } = run.add(
        "depthwiseConv2dFilterGradient",
        { x: xId, dy: dYId, state: run.graph.state },
        filter,
      );
      const [gotY, gotDX, gotDK, gotDB] = await run.read([y!, dx!, dkernel!, dbias!], { adapter });

      const usedX: Shape4 = [rows, xShape[1], xShape[2], xShape[3]];
      const usedDY = dY.slice(0, (dY.length / xShape[0]) * rows);
      const usedDX = depthwiseConv2dInputGradient(usedDY, k, kShape, usedX, options);
      const { dK, dB } = depthwiseConv2dFilterGradient(x.slice(0, size(usedX)), usedX, usedDY, kShape, options);
      const positions = usedDY.length / outC;
      expect(gotY!.length).toBe(wantY.length);
      expectClose(gotY!.slice(0, usedDY.length), wantY.slice(0, usedDY.length), sumTolerance(size(kernel)), "y");
      expectClose(gotDX!.slice(0, usedDX.length), usedDX, sumTolerance(size(kernel) * multiplier), "dX");
      expectClose(gotDK!, dK, sumTolerance(positions), "dK");
      expectClose(gotDB!, dB, sumTolerance(positions), "dB");
    });
  },
);

describe("a long filter gradient", () => {
  it.each(["software", "gpu"] as const)("is cut into many slices, for %s", async (adapter) => {
    const [xShape, kShape]: [Shape4, Shape4] = [
      [9, 33, 33, 4],
      [3, 3, 4, 1],
    ];
    const options = { strides: [1, 1], padding: "same" } as const;
    const [x, dY] = [randomArray(size(xShape), 1), randomArray(size(xShape), 2)];
    const run = new GraphRun().rows(9);
    const ids = { x: run.input("x", xShape, x), dy: run.input("dy", xShape, dY), state: run.graph.state };
    const attributes = { ...options, kernelShape: kShape, hasBias: true };
    const { dkernel, dbias } = run.add("depthwiseConv2dFilterGradient", ids, attributes);
    const [gotDK, gotDB] = await run.read([dkernel!, dbias!], { adapter });
    const { dK, dB } = depthwiseConv2dFilterGradient(x, xShape, dY, kShape, options);
    expectClose(gotDK!, dK, sumTolerance(9 * 33 * 33), "dK");
    expectClose(gotDB!, dB, sumTolerance(9 * 33 * 33), "dB");
  });
});

const POOLINGS = [
  { x: [3, 9, 9, 4], kernel: [3, 3], multiplier: 1, strides: [1, 1], pool: [2, 2], activation: "relu", mean: false },
  { x: [2, 8, 11, 3], kernel: [2, 3], multiplier: 2, strides: [1, 2], pool: [1, 4], activation: "tanh", mean: false },
  { x: [5, 9, 6, 2], kernel: [3, 3], multiplier: 4, strides: [1, 1], pool: [4, 1], activation: "relu", mean: true },
  { x: [2, 7, 6, 7], kernel: [2, 2], multiplier: 1, strides: [1, 1], pool: [2, 2], activation: "relu", mean: true },
] as const;

describe.each(POOLINGS)("depthwiseConv2d of $x times $multiplier with $activation and a pooling of $pool", (test) => {
  const { x: xShape, kernel, multiplier, strides, pool, activation, mean } = test;
  const options = { strides, padding: "same" } as const;
  const kShape: Shape4 = [...kernel, xShape[3], multiplier];
  const outC = xShape[3] * multiplier;
  const [x, k, b] = [randomArray(size(xShape), 1), randomArray(size(kShape), 2), randomArray(outC, 3)];
  const window = { poolSize: pool, strides: pool, padding: "valid" } as const;
  const conv = depthwiseConv2d(x, xShape, k, kShape, b, options);
  const y = activate(activation, conv.y);
  const largest = maxPoolingReference(y, conv.shape, window);
  const pooled = mean ? averagePooling2d(y, conv.shape, window) : largest;
  const dP = randomArray(size(pooled.shape), 4);

  it("has them in its kernels, and matches them one after the other, forward and backward", async () => {
    const run = new GraphRun().rows(xShape[0]);
    const [xId, kId, bId] = [run.input("x", xShape, x), run.input("k", kShape, k), run.input("b", [outC], b)];
    const dPId = run.input("dp", pooled.shape, dP);
    const attributes = { size: pool, strides: pool, padding: "valid" };
    const { y: z } = run.add("depthwiseConv2d", { x: xId, kernel: kId, bias: bId }, options);
    const { y: yId } = run.add("activation", { x: z! }, { kind: activation });
    const pooling = mean ? "averagePooling2d" : "maxPooling2d";
    const { y: p, argmax } = run.add(pooling, { x: yId! }, attributes);
    const unpool = { ...attributes, inputShape: conv.shape };
    const { dx: dYId } = run.add(`${pooling}Gradient`, mean ? { dy: dPId } : { dy: dPId, argmax }, unpool);
    const { dx: dZ } = run.add("activationGradient", { dy: dYId!, y: yId! }, { kind: activation });
    const input = { ...options, inputShape: xShape };
    const { dx } = run.add("depthwiseConv2dInputGradient", { dy: dZ!, kernel: kId }, input);
    const filter = { ...options, kernelShape: kShape, hasBias: true };
    const ids = { x: xId, dy: dZ!, state: run.graph.state };
    const { dkernel, dbias } = run.add("depthwiseConv2dFilterGradient", ids, filter);
    const [gotP, gotDX, gotDK, gotDB] = await run.read([p!, dx!, dkernel!, dbias!]);
    const fused = run.graph.nodes.filter(({ attributes }) => attributes.pool !== undefined).map(({ op }) => op);
    expect(fused).toEqual(["depthwiseConv2d", "depthwiseConv2dInputGradient", "depthwiseConv2dFilterGradient"]);
    expect(run.graph.nodes.some(({ op }) => /Pooling/.test(op))).toBe(false);

    const dY = mean
      ? averagePooling2dGradient(dP, conv.shape, window)
      : maxPooling2dGradient(dP, largest.argmax, conv.shape);
    const wantDZ = activationGradient(activation, y, dY);
    const want = depthwiseConv2dFilterGradient(x, xShape, wantDZ, kShape, options);
    const wantDX = depthwiseConv2dInputGradient(wantDZ, k, kShape, xShape, options);
    const positions = size(conv.shape) / outC;
    expectClose(gotP!, pooled.y, sumTolerance(size(kernel)), "p");
    expectClose(gotDX!, wantDX, sumTolerance(size(kernel) * multiplier), "dX");
    expectClose(gotDK!, want.dK, sumTolerance(positions), "dK");
    expectClose(gotDB!, want.dB, sumTolerance(positions), "dB");
  });
});

describe("the derivative of the activation before", () => {
  it.each([3, 4])("rides in the input gradient, of %i channels", async (channels) => {
    const [xShape, kShape]: [Shape4, Shape4] = [
      [3, 4, 5, channels],
      [2, 2, channels, 2],
    ];
    const options = { strides: [1, 1], padding: "same" } as const;
    const x = activate("elu", randomArray(size(xShape), 1));
    const [k, dY] = [randomArray(size(kShape), 2), randomArray(2 * size(xShape), 3)];
    const run = new GraphRun();
    const dYId = run.input("dy", [3, 4, 5, 2 * channels], dY);
    const input = { ...options, inputShape: xShape };
    const { dx } = run.add("depthwiseConv2dInputGradient", { dy: dYId, kernel: run.input("k", kShape, k) }, input);
    const { dx: dZ } = run.add("activationGradient", { dy: dx!, y: run.input("x", xShape, x) }, { kind: "elu" });
    const [got] = await run.read([dZ!]);
    expect(run.graph.nodes.map(({ op }) => op)).toEqual(["depthwiseConv2dInputGradient"]);
    const want = activationGradient("elu", x, depthwiseConv2dInputGradient(dY, k, kShape, xShape, options));
    expectClose(got!, want, sumTolerance(8), "dZ");
  });
});

describe("an update in the filter gradient", () => {
  it.each([
    { multiplier: 1, hasBias: true },
    { multiplier: 2, hasBias: false },
    { multiplier: 3, hasBias: true },
  ])("steps the parameters as the separate update does: %o", async ({ multiplier, hasBias }) => {
    const [xShape, kShape]: [Shape4, Shape4] = [
      [3, 4, 5, 4],
      [2, 1, 4, multiplier],
    ];
    const yShape: Shape4 = [3, 3, 5, 4 * multiplier];
    const options = { strides: [1, 1], padding: "valid" } as const;
    const [x, dY] = [randomArray(size(xShape), 1), randomArray(size(yShape), 2)];
    const [k, b] = [randomArray(size(kShape), 3), randomArray(4 * multiplier, 4)];
    const step = async (keepGradient: boolean, adapter: "software" | "gpu") => {
      const run = new GraphRun().rows(3);
      const ids = { x: run.input("x", xShape, x), dy: run.input("dy", yShape, dY), state: run.graph.state };
      const [kId, rate] = [run.input("k", kShape, k), run.input("rate", [1], [0.25])];
      const attributes = { ...options, kernelShape: kShape, hasBias };
      const { dkernel, dbias } = run.add("depthwiseConv2dFilterGradient", ids, attributes);
      run.add("sgd", { p: kId, g: dkernel!, rate });
      const parameters = [kId];
      if (hasBias) {
        parameters.push(run.input("b", [4 * multiplier], b));
        run.add("sgd", { p: parameters[1]!, g: dbias!, rate });
      }
      const read = await run.read(keepGradient ? [...parameters, dkernel!] : parameters, { adapter });
      return { read, ops: run.graph.nodes.map(({ op }) => op) };
    };
    const [fused, separate] = [await step(false, "software"), await step(true, "gpu")];
    expect(fused.ops).toEqual(["depthwiseConv2dFilterGradient"]);
    expect(separate.ops).toEqual(["depthwiseConv2dFilterGradient", "sgd", ...(hasBias ? ["sgd"] : [])]);
    const { dK, dB } = depthwiseConv2dFilterGradient(x, xShape, dY, kShape, options);
    const wanted = [k.map((value, i) => value - 0.25 * dK[i]!), b.map((value, i) => value - 0.25 * dB[i]!)];
    for (const { read } of [fused, separate]) {
      for (const i of hasBias ? [0, 1] : [0]) expectClose(read[i]!, wanted[i]!, sumTolerance(45), `parameter ${i}`);
    }
  });
});

describe.each(nonFinite)("%s in a depthwise convolution", (kind) => {
  it.each([
    { channels: 4, multiplier: 1 },
    { channels: 3, multiplier: 2 },
    { channels: 2, multiplier: 4 },
  ])("goes where its products go, and nowhere else: %o", async ({ channels, multiplier }) => {
    const [xShape, kShape]: [Shape4, Shape4] = [
      [2, 5, 6, channels],
      [3, 2, channels, multiplier],
    ];
    const outC = channels * multiplier;
    const options = { strides: [1, 1], padding: "same" } as const;
    const yShape: Shape4 = [2, 5, 6, outC];
    // At a corner of the first image, whose neighbours padding makes, and inside the second.
    const at = (shape: Shape4, channel: number) => [channel, size(shape) - 9 * shape[3] + channel];
    const x = withBits(randomArray(size(xShape), 1), kind, at(xShape, channels - 1));
    const dY = withBits(randomArray(size(yShape), 2), kind, at(yShape, 1));
    const [sound, soundDY] = [randomArray(size(xShape), 3), randomArray(size(yShape), 4)];
    const k = randomArray(size(kShape), 5);
    const run = new GraphRun().rows(2);
    const kId = run.input("k", kShape, k);
    const [xId, dYId] = [run.input("x", xShape, x), run.input("dy", yShape, dY)];
    const { y } = run.add("depthwiseConv2d", { x: xId, kernel: kId }, options);
    const { y: yRelu } = run.add("activation", { x: y! }, { kind: "relu" });
    const input = { ...options, inputShape: xShape };
    const { dx } = run.add("depthwiseConv2dInputGradient", { dy: dYId, kernel: kId }, input);
    const filter = { ...options, kernelShape: kShape, hasBias: true };
    const { state } = run.graph;
    const op = "depthwiseConv2dFilterGradient";
    const ofX = run.add(op, { x: xId, dy: run.input("dy2", yShape, soundDY), state }, filter);
    const ofDY = run.add(op, { x: run.input("x2", xShape, sound), dy: dYId, state }, filter);
    const [gotY, gotDX, ofXK, ofXB, ofDYK, ofDYB] = await run.read([
      yRelu!,
      dx!,
      ofX.dkernel!,
      ofX.dbias!,
      ofDY.dkernel!,
      ofDY.dbias!,
    ]);
    const wantY = activate("relu", depthwiseConv2d(x, xShape, k, kShape, undefined, options).y);
    expectCarried(gotY!, wantY, sumTolerance(6), "y");
    const wantDX = depthwiseConv2dInputGradient(dY, k, kShape, xShape, options);
    expectCarried(gotDX!, wantDX, sumTolerance(6 * multiplier), "dX");
    const wantOfX = depthwiseConv2dFilterGradient(x, xShape, soundDY, kShape, options);
    expectCarried(ofXK!, wantOfX.dK, sumTolerance(60), "dK of x");
    expectCarried(ofXB!, wantOfX.dB, sumTolerance(60), "dB of x");
    const wantOfDY = depthwiseConv2dFilterGradient(sound, xShape, dY, kShape, options);
    expectCarried(ofDYK!, wantOfDY.dK, sumTolerance(60), "dK of dY");
    expectCarried(ofDYB!, wantOfDY.dB, sumTolerance(60), "dB of dY");
  });
});

const [ROWS, CLASSES, RATE] = [5, 3, 0.2];
const IMAGE = [8, 7, 3] as const;

/** Loss and gradients of the network below by hand, out of the references' parts. */
function reference(weights: readonly Float64Array[], x: Float64Array, labels: ArrayLike<number>) {
  const [k1, b1, k2, w, b] = weights as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const xShape: Shape4 = [ROWS, ...IMAGE];
  const [shape1, shape2]: [Shape4, Shape4] = [
    [3, 3, 3, 2],
    [2, 3, 6, 1],
  ];
  const plain = { strides: [1, 1], padding: "same" } as const;
  const strided = { strides: [2, 1], padding: "valid" } as const;
  const window = { poolSize: [2, 2], strides: [2, 2], padding: "valid" } as const;
  const first = depthwiseConv2d(x, xShape, k1, shape1, b1, plain);
  const y1 = activate("relu", first.y);
  const pooled = maxPoolingReference(y1, first.shape, window);
  const second = depthwiseConv2d(pooled.y, pooled.shape, k2, shape2, undefined, strided);
  const y2 = activate("tanh", second.y);
  const last = { rows: ROWS, inputs: y2.length / ROWS, units: CLASSES };
  const loss = sparseSoftmaxCrossEntropy(denseReference(y2, w, b, last), labels, CLASSES);
  const top = denseGradients(y2, w, loss.dLogits, last);
  const dZ2 = activationGradient("tanh", y2, top.dX);
  const { dK: dK2 } = depthwiseConv2dFilterGradient(pooled.y, pooled.shape, dZ2, shape2, strided);
  const dP = depthwiseConv2dInputGradient(dZ2, k2, shape2, pooled.shape, strided);
  const dZ1 = activationGradient("relu", y1, maxPooling2dGradient(dP, pooled.argmax, first.shape));
  const { dK: dK1, dB: dB1 } = depthwiseConv2dFilterGradient(x, xShape, dZ1, shape1, plain);
  return { loss: loss.loss, gradients: [dK1, dB1, dK2, top.dW, top.dB] };
}

describe("a network of depthwise convolutions", () => {
  it("trains as the reference says, three steps in a row", async () => {
    const runtime = await createRuntime();
    const model = sequential([
      layer({ kernelSize: 3, padding: "same", depthMultiplier: 2, activation: "relu", inputShape: IMAGE }),
      maxPooling2d(),
      layer({ kernelSize: [2, 3], strides: [2, 1], activation: "tanh", useBias: false }),
      flatten(),
      dense({ units: CLASSES, activation: "softmax" }),
    ]);
    const optimizer = sgd({ learningRate: RATE });
    await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime, seed: 3 });
    const { x, y } = noise(ROWS, IMAGE, CLASSES);
    let weights = (await model.getWeights()).map(({ data }) => Float64Array.from(data));
    for (let step = 0; step < 3; step++) {
      const { loss } = await model.trainOnBatch(x, y);
      const want = reference(weights, Float64Array.from(x.data), y.data);
      expectClose([loss], [want.loss], tolerances.trainingStep, `loss of step ${step}`);
      weights = weights.map((values, i) => values.map((value, at) => value - RATE * want.gradients[i]![at]!));
    }
    (await model.getWeights()).forEach(({ name, data }, i) => {
      expectClose(data, weights[i]!, tolerances.trainingStep, name);
    });
    model.dispose();
    expect(runtime.memory.buffers).toBe(0);
    runtime.dispose();
  });
});
