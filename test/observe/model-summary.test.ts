import { describe, expect, it } from "vitest";
import {
  add,
  average,
  batchNormalization,
  concatenate,
  conv2d,
  conv2dTranspose,
  defineLayer,
  dense,
  depthwiseConv2d,
  dropout,
  type FlopsRule,
  flatten,
  globalAveragePooling2d,
  input,
  type Layer,
  maxPooling2d,
  model,
  modelSummary,
  ops,
  resizing,
  sequential,
  zeroPadding2d,
} from "../../src/index.ts";
import { flopsRules } from "../../src/observe/flops.ts";
import { RULES } from "../../src/onnx/rules.ts";
import { articleLayers } from "../support/models.ts";

const flopsOf = async (...layers: Layer[]) => (await modelSummary(sequential(layers))).layers.map(({ flops }) => flops);

describe("operations", () => {
  it("of the article's network are those counted by hand", async () => {
    const { layers, flops } = await modelSummary(sequential(articleLayers()));
    expect(layers.map((layer) => layer.flops)).toEqual([
      // Sums of 25 products, bias, relu: 24 x 24 x 32 numbers.
      18_432 * (2 * 25 + 1 + 1),
      // 12 x 12 x 32 windows of 4.
      4608 * 4,
      // 8 x 8 x 64 sums of 25 x 32 products.
      4096 * (2 * 800 + 1 + 1),
      1024 * 4,
      0,
      1000 * (2 * 1024 + 1 + 1),
      10 * (2 * 1000 + 1 + 5),
    ]);
    expect(flops).toBe(9_612_844);
  });

  it("of a depthwise convolution are its windows in one channel each", async () => {
    const layer = depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, inputShape: [6, 6, 4] });
    expect(await flopsOf(layer)).toEqual([4 * 4 * 8 * (2 * 9 + 1)]);
  });

  it("of a transposed convolution are the windows that each number of the input goes to", async () => {
    const layer = conv2dTranspose({
      filters: 5,
      kernelSize: [3, 2],
      strides: 2,
      activation: "relu",
      inputShape: [4, 3, 2],
    });
    // To [9, 6, 5]: bias and relu are of each number there.
    expect(await flopsOf(layer)).toEqual([2 * (4 * 3 * 2) * (3 * 2 * 5) + 2 * 9 * 6 * 5]);
  });

  it("of a convolution in groups are sums over the channels of a group", async () => {
    const layer = conv2d({ filters: 6, kernelSize: 3, groups: 2, dilationRate: 2, inputShape: [7, 7, 4] });
    expect(await flopsOf(layer)).toEqual([3 * 3 * 6 * (2 * 9 * 2 + 1)]);
  });

  it("of a convolution with padding and strides count the padding", async () => {
    const layer = conv2d({
      filters: 5,
      kernelSize: [3, 2],
      strides: 2,
      padding: "same",
      useBias: false,
      inputShape: [7, 5, 3],
    });
    expect(await flopsOf(layer)).toEqual([4 * 3 * 5 * 2 * 3 * 2 * 3]);
  });

  it("of a resizing are two numbers an output of each axis, and more where many become one", async () => {
    // Rows first: [8, 4, 3], then [8, 2, 3].
    expect(await flopsOf(resizing({ height: 8, width: 2, inputShape: [4, 4, 3] }))).toEqual([
      4 * 8 * 4 * 3 + 4 * 8 * 2 * 3,
    ]);
    expect(await flopsOf(resizing({ height: 4, width: 2, antialias: true, inputShape: [4, 4, 3] }))).toEqual([
      2 * 4 * 4 * 2 * 3,
    ]);
    expect(await flopsOf(resizing({ height: 8, width: 2, interpolation: "nearest", inputShape: [4, 4, 3] }))).toEqual([
      0,
    ]);
  });

  it("of a normalization by known statistics are a factor a channel, and 3 a number", async () => {
    expect(await flopsOf(batchNormalization({ inputShape: [2, 2, 3] }))).toEqual([3 * 3 + 3 * 12]);
    expect(await flopsOf(batchNormalization({ center: false, inputShape: [2, 2, 3] }))).toEqual([3 * 3 + 2 * 12]);
  });

  it("of a mean over axes are one a number and one a result", async () => {
    expect(await flopsOf(globalAveragePooling2d({ inputShape: [4, 4, 3] }))).toEqual([4 * 4 * 3 + 3]);
  });

  it("are none where numbers only move, and in dropout, which is of training", async () => {
    const layers = [zeroPadding2d({ inputShape: [3, 3, 2] }), dropout({ rate: 0.5 }), flatten()];
    expect(await flopsOf(...layers)).toEqual([0, 0, 0]);
  });

  it("of merging layers are one for each sum, and of a mean one more", async () => {
    const [a, b, c] = [input({ shape: [6] }), input({ shape: [6] }), input({ shape: [6] })];
    const merged = model({
      inputs: [a, b, c],
      outputs: { sum: add()([a, b, c]), mean: average()([a, b]), all: concatenate()([a, b]) },
    });
    const { layers } = await modelSummary(merged);
    const of = (name: string) => layers.find((layer) => layer.name === name)!.flops;
    expect([of("add"), of("average"), of("concatenate")]).toEqual([12, 12, 0]);
  });

  it("of a shared layer are those of all its uses", async () => {
    const [a, b] = [input({ shape: [4] }), input({ shape: [4] })];
    const twice = dense({ units: 3 });
    const { layers } = await modelSummary(model({ inputs: [a, b], outputs: { a: twice(a), b: twice(b) } }));
    expect(layers.at(-1)!.flops).toBe(2 * 3 * (2 * 4 + 1));
  });

  it("are known for every op that ONNX files have", () => {
    expect(Object.keys(RULES).filter((op) => !(op in flopsRules()))).toEqual([]);
  });
});

describe("an op of an app's own", () => {
  const own = { ...ops.stopGradient, name: "own" };
  const ownModel = () =>
    sequential([
      dense({ units: 3, inputShape: [4] }),
      defineLayer({ type: "Own", call: ({ input, add }) => add(own, { x: input }).y }),
    ]);

  it("is named where no rule counts it, and left out of the sum", async () => {
    const summary = await modelSummary(ownModel());
    expect(summary.layers.map(({ flops }) => flops)).toEqual([3 * 9, undefined]);
    expect(summary).toMatchObject({ flops: 3 * 9, uncounted: ["own"] });
    expect(String(summary)).toContain("\n FLOPs per sample, forward: 27, without those of: own\n");
  });

  it("is counted by the app's rule", async () => {
    const rule: FlopsRule<typeof own> = ({ outputs: { y } }) => y.shape.reduce((a, b) => a * b);
    const summary = await modelSummary(ownModel(), { flops: { own: rule } });
    expect(summary).toMatchObject({ flops: 3 * 9 + 3, uncounted: [] });
  });

  it("must be counted by a number", async () => {
    await expect(modelSummary(ownModel(), { flops: { own: () => Number.NaN } })).rejects.toThrow(
      "modelSummary: flops.own() must return a number of at least 0, got NaN",
    );
  });
});

describe("connections", () => {
  it("are Keras's: layer, number of its use, number of the output", async () => {
    const [a, b] = [input({ shape: [4], name: "a" }), input({ shape: [4], name: "b" })];
    const shared = dense({ units: 3, name: "shared" });
    const sum = add({ name: "sum" })([shared(a), shared(b)]);
    const again = shared(dense({ units: 4, name: "wide" })(sum));
    const whole = model({ inputs: [a, b], outputs: concatenate({ name: "both" })([sum, again]) });
    const { layers } = await modelSummary(whole);
    // `model.summary()` of Keras 3.15 for the same model.
    expect(layers.map(({ name, connectedTo }) => [name, connectedTo.join(", ")])).toEqual([
      ["a", ""],
      ["b", ""],
      ["shared", "a[0][0], b[0][0], wide[0][0]"],
      ["sum", "shared[0][0], shared[1][0]"],
      ["wide", "sum[0][0]"],
      ["both", "sum[0][0], shared[2][0]"],
    ]);
    expect(layers.map(({ type }) => type).slice(0, 2)).toEqual(["InputLayer", "InputLayer"]);
  });
});

describe("the text", () => {
  it("has Keras's table, with connections and operations, then the totals and the memory", async () => {
    const text = String(await modelSummary(sequential(articleLayers(), { name: "mnist" }), { batchSize: 8 }));
    const lines = text.split("\n");
    expect(lines[0]).toBe('Model: "mnist"');
    expect(lines[2]!.split("┃").map((cell) => cell.trim())).toEqual([
      "",
      "Layer (type)",
      "Output Shape",
      "Param #",
      "Connected to",
      "FLOPs",
      "",
    ]);
    expect(lines[6]!.split("│").map((cell) => cell.trim())).toEqual([
      "",
      "max_pooling2d (MaxPooling2D)",
      "(None, 12, 12, 32)",
      "0",
      "conv2d[0][0]",
      "18,432",
      "",
    ]);
    expect(text).toContain(" Total params: 1,087,106 (4.15 MB)\n Trainable params: 1,087,106 (4.15 MB)");
    expect(text).toContain("\n FLOPs per sample, forward: 9,612,844\n");
    expect(text).toMatch(
      /\n GPU bytes of prediction, batch 8: [\d,]+ \(weights 4,348,424, optimizer 0, state \d+, activations [\d,]+\)$/,
    );
  });

  it("says what is not known of a model without an input's shape", async () => {
    const summary = await modelSummary(sequential([conv2d({ filters: 2, kernelSize: 3 }), maxPooling2d()]));
    expect(summary).toMatchObject({ flops: undefined, inference: undefined, training: undefined });
    const row = String(summary).split("\n")[4]!;
    expect(row.split("│").map((cell) => cell.trim())).toEqual([
      "",
      "conv2d (Conv2D)",
      "?",
      "0 (unbuilt)",
      "-",
      "?",
      "",
    ]);
  });
});

it("counts frozen layers' parameters apart", async () => {
  const frozen = sequential([dense({ units: 3, inputShape: [4], trainable: false }), dense({ units: 2 })]);
  const { parameters, layers } = await modelSummary(frozen);
  expect(parameters).toEqual({ total: 23, trainable: 8, nonTrainable: 15 });
  expect(layers.map(({ parameters, trainable }) => [parameters, trainable])).toEqual([
    [15, 0],
    [8, 8],
  ]);
});

it("plans the memory of inference before compile, for the batch that is asked for", async () => {
  const network = sequential(articleLayers());
  const [small, large] = [
    await modelSummary(network, { batchSize: 1 }),
    await modelSummary(network, { batchSize: 64 }),
  ];
  expect(small.inference!.weights).toBe(4 * 1_087_106);
  expect(small.inference!.optimizer).toBe(0);
  expect(large.inference!.activations).toBeGreaterThan(16 * small.inference!.activations);
  expect(large.inference!.total).toBe(large.inference!.weights + large.inference!.state + large.inference!.activations);
  expect(large.training).toBeUndefined();
});

it.each([
  [{ batchSize: 0 }, "modelSummary: batchSize must be a whole number of at least 1, got 0"],
  [{ batch: 2 }, 'modelSummary has no option "batch"'],
  [{ flops: [] }, "modelSummary: flops must be an object"],
  [{ flops: { scale: 3 } }, "modelSummary: flops.scale must be a function, got 3"],
])("refuses %j", async (options, message) => {
  await expect(modelSummary(sequential(articleLayers()), options as never)).rejects.toThrow(message);
});
