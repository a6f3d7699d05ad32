import { describe, expect, it } from "vitest";
import { averagePooling2d, conv2d, dense, flatten, type Layer, maxPooling2d } from "../../src/index.ts";
import type { LayerInput, VariableSpec } from "../../src/layers/layer.ts";
import { Build, failure } from "../support/building.ts";

type Options = Record<string, unknown>;
type Make = (options: Options) => Layer;
const as = (make: unknown) => make as Make;

/** Each layer with options that it takes. */
const LAYERS: Record<string, { make: Make; good: Options; type: string }> = {
  conv2d: { make: as(conv2d), good: { filters: 4, kernelSize: 3 }, type: "Conv2D" },
  maxPooling2d: { make: as(maxPooling2d), good: {}, type: "MaxPooling2D" },
  averagePooling2d: { make: as(averagePooling2d), good: {}, type: "AveragePooling2D" },
  flatten: { make: as(flatten), good: {}, type: "Flatten" },
  dense: { make: as(dense), good: { units: 3 }, type: "Dense" },
};

const notCounts = [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "3", null, [3]];
const notPairs = [
  0,
  -2,
  2.5,
  "3",
  [3],
  [3, 3, 3],
  [3, 0],
  [3, -1],
  [1.5, 3],
  ["3", 3],
  2 ** 31,
  2 ** 40,
  [3, 2 ** 31],
  [],
  {},
];
const notShapes = [28, [], [1, 1, 1, 1, 1, 1, 1, 1], [28, 0], [28, -1], [28, 1.5], "28", ["28"], {}];
const notFlags = ["no", 0, 1, {}];
const notRegularizers = ["l3", 1, { rate: 1 }];
const notConstraints = ["maxnorm", 1, { max: 1 }];
const notWords = ["SAME", "full", 1, true, {}];

const WRONG: Record<string, Record<string, readonly unknown[]>> = {
  conv2d: {
    filters: [...notCounts, undefined],
    kernelSize: [...notPairs, undefined],
    dilationRate: notPairs,
    groups: [0, 1.5, "2", [2]],
    strides: notPairs,
    padding: notWords,
    activation: ["ReLU", "leaky", 1, () => 0],
    useBias: ["no", 1],
    kernelInitializer: ["glorot_uniform", 1, {}],
    biasInitializer: ["zero", 0],
    kernelRegularizer: notRegularizers,
    biasRegularizer: notRegularizers,
    activityRegularizer: notRegularizers,
    kernelConstraint: notConstraints,
    biasConstraint: notConstraints,
    inputShape: notShapes,
    name: [5],
    trainable: notFlags,
  },
  maxPooling2d: {
    poolSize: notPairs,
    strides: notPairs,
    padding: notWords,
    inputShape: notShapes,
    name: [5],
    trainable: notFlags,
  },
  averagePooling2d: {
    poolSize: notPairs,
    strides: notPairs,
    padding: notWords,
    inputShape: notShapes,
    name: [5],
    trainable: notFlags,
  },
  flatten: { inputShape: notShapes, name: [5], trainable: notFlags },
  dense: {
    units: [...notCounts, undefined],
    activation: ["ReLU", 1],
    useBias: ["no", 0],
    kernelInitializer: ["he_uniform", 1],
    biasInitializer: ["zero"],
    kernelRegularizer: notRegularizers,
    biasRegularizer: notRegularizers,
    activityRegularizer: notRegularizers,
    kernelConstraint: notConstraints,
    biasConstraint: notConstraints,
    inputShape: notShapes,
    name: [5],
    trainable: notFlags,
  },
};

const CASES = Object.entries(WRONG).flatMap(([layer, options]) =>
  Object.entries(options).flatMap(([option, values]) => values.map((value) => ({ layer, option, value }))),
);

describe("options", () => {
  it.each(CASES)("of $layer: $option cannot be $value", ({ layer, option, value }) => {
    const { make, good } = LAYERS[layer]!;
    const { code, message } = failure(() => make({ ...good, [option]: value }));
    expect(code).toBe("value");
    expect(message).toContain(layer);
    expect(message).toContain(option);
    // What it got: the value, or the part of it that is wrong.
    const parts = [value, ...(Array.isArray(value) ? value : [])];
    const shown = parts.map((part) => (typeof part === "string" ? `"${part}"` : String(part)));
    const got = message.slice(message.indexOf("got"));
    expect(message).toContain("got");
    if (typeof value !== "object" && typeof value !== "function") expect(got).toContain(shown[0]);
    if (Array.isArray(value)) expect(shown.some((text) => got.includes(text))).toBe(true);
    // What it wants.
    expect(message).toMatch(/must be/);
  });

  it.each(Object.entries(LAYERS))(
    "of %s: an unknown one is refused, and the known ones listed",
    (layer, { make, good }) => {
      const { code, message } = failure(() => make({ ...good, kernel_size: 3 }));
      expect(code).toBe("value");
      for (const word of [layer, '"kernel_size"', "name", "inputShape", ...Object.keys(good)]) {
        expect(message).toContain(word);
      }
    },
  );

  it.each(Object.entries(WRONG))("of %s: all of them have wrong values in this test", (layer, options) => {
    const { make, good } = LAYERS[layer]!;
    const { message } = failure(() => make({ ...good, oops: 1 }));
    expect(/It takes: (.*)\.$/.exec(message)![1]!.split(", ").sort()).toEqual(Object.keys(options).sort());
  });

  it.each(["conv2d", "dense"])("of %s are needed", (layer) => {
    const { code, message } = failure(() => (LAYERS[layer]!.make as () => Layer)());
    expect(code).toBe("value");
    expect(message).toContain(layer);
  });
});

const place = (input: readonly number[]): LayerInput => ({ name: "it", input, inputs: [input], from: "before" });
const variablesOf = (layer: Layer, built: LayerInput) => layer.variables?.(built) ?? [];
const shapes = (specs: readonly VariableSpec[]) =>
  specs.map(({ name, shape, initializer }) => [name, shape, initializer]);

describe("variables", () => {
  it("of conv2d: kernel [kH, kW, channels, filters] and bias [filters]", () => {
    expect(shapes(variablesOf(conv2d({ filters: 8, kernelSize: [3, 5] }), place([28, 28, 2])))).toEqual([
      ["kernel", [3, 5, 2, 8], "glorotUniform"],
      ["bias", [8], "zeros"],
    ]);
    const own = { kernelInitializer: "heUniform", biasInitializer: "ones" } as const;
    expect(shapes(variablesOf(conv2d({ filters: 8, kernelSize: 1, ...own }), place([4, 4, 3])))).toEqual([
      ["kernel", [1, 1, 3, 8], "heUniform"],
      ["bias", [8], "ones"],
    ]);
  });

  it("of dense: kernel [features, units] and bias [units]", () => {
    expect(shapes(variablesOf(dense({ units: 10 }), place([1024])))).toEqual([
      ["kernel", [1024, 10], "glorotUniform"],
      ["bias", [10], "zeros"],
    ]);
  });

  it("without useBias: the kernel alone", () => {
    expect(variablesOf(conv2d({ filters: 8, kernelSize: 3, useBias: false }), place([9, 9, 1]))).toHaveLength(1);
    expect(variablesOf(dense({ units: 8, useBias: false }), place([9]))).toHaveLength(1);
  });

  it("of the others: none", () => {
    for (const layer of [maxPooling2d(), averagePooling2d()]) expect(variablesOf(layer, place([8, 8, 3]))).toEqual([]);
    expect(variablesOf(flatten(), place([8, 8, 3]))).toEqual([]);
  });
});

it("inputShape says how many sizes it may have", () => {
  const { message } = failure(() => flatten({ inputShape: new Array(8).fill(1) }));
  expect(message).toContain("the shape of one sample, 1 to 7 whole numbers of at least 1");
  expect(flatten({ inputShape: new Array(7).fill(1) }).inputShape).toHaveLength(7);
});

describe("inputs that do not suit a layer", () => {
  it.each(["conv2d", "maxPooling2d", "averagePooling2d"])("%s wants images", (layer) => {
    const { make, good, type } = LAYERS[layer]!;
    for (const input of [[784], [28, 28], [1, 2, 3, 4]]) {
      const { code, message } = failure(() => variablesOf(make(good), place(input)));
      expect(code).toBe("shape");
      const texts = [`${type} "it"`, "[batch, height, width, channels]", `[batch, ${input.join(", ")}]`, '"before"'];
      for (const text of texts) expect(message).toContain(text);
    }
  });
});

describe("nodes", () => {
  /** The nodes that a layer adds for an input [2, ...sample]. */
  function nodesOf(layer: Layer, sample: readonly number[]) {
    const build = new Build();
    const input = build.input("input", [2, ...sample]);
    const variables = Object.fromEntries(
      variablesOf(layer, place(sample)).map(({ name, shape }) => [name, build.input(name, shape)]),
    );
    const output = layer.call({
      input,
      inputs: [input],
      variables,
      trainable: true,
      add: build.addTyped,
      trainingState: undefined,
      shapeOf: (id) => build.graph.tensors[id]!.shape,
    });
    const made = build.graph.nodes.map(({ op, attributes }) => [op, attributes]);
    return { made, shape: build.graph.tensors[output]!.shape };
  }

  it("of conv2d have its strides and padding: both axes from one number, or each its own", () => {
    expect(nodesOf(conv2d({ filters: 4, kernelSize: 3 }), [9, 9, 2])).toEqual({
      made: [["conv2d", { strides: [1, 1], padding: "valid" }]],
      shape: [2, 7, 7, 4],
    });
    const options = { strides: [2, 1], padding: "same", activation: "relu" } as const;
    expect(nodesOf(conv2d({ filters: 4, kernelSize: [3, 2], ...options }), [9, 9, 2])).toEqual({
      made: [
        ["conv2d", { strides: [2, 1], padding: "same" }],
        ["activation", { kind: "relu" }],
      ],
      shape: [2, 5, 9, 4],
    });
  });

  it.each([
    [undefined, []],
    ["linear", []],
    ["tanh", [["activation", { kind: "tanh" }]]],
    ["softmax", [["softmax", {}]]],
  ] as const)("of dense with activation %s", (activation, after) => {
    const layer = dense({ units: 3, ...(activation ? { activation } : {}) });
    expect(nodesOf(layer, [5])).toEqual({ made: [["dense", {}], ...after], shape: [2, 3] });
  });

  it("of a pooling: windows of 2 by default, side by side by default", () => {
    const attributes = (layer: Layer) => nodesOf(layer, [9, 9, 2]).made[0]![1];
    expect(attributes(maxPooling2d())).toEqual({ size: [2, 2], strides: [2, 2], padding: "valid" });
    expect(attributes(maxPooling2d({ poolSize: 3 }))).toEqual({ size: [3, 3], strides: [3, 3], padding: "valid" });
    expect(attributes(averagePooling2d({ poolSize: [3, 1], strides: 2, padding: "same" }))).toEqual({
      size: [3, 1],
      strides: [2, 2],
      padding: "same",
    });
    expect(nodesOf(averagePooling2d(), [9, 9, 2])).toMatchObject({
      made: [["averagePooling2d", {}]],
      shape: [2, 4, 4, 2],
    });
  });

  it("of flatten: a view of one row a sample", () => {
    expect(nodesOf(flatten(), [4, 4, 3])).toEqual({ made: [["reshape", { shape: [2, 48] }]], shape: [2, 48] });
    expect(nodesOf(flatten(), [7]).shape).toEqual([2, 7]);
  });
});

describe("descriptions", () => {
  it.each(Object.entries(LAYERS))(
    "of %s have Keras's type, and no name or shape unless given",
    (_, { make, good, type }) => {
      // A layer is a function; what it says of itself are its properties.
      expect({ ...make(good) }).toMatchObject({ type, name: undefined, inputShape: undefined, trainable: true });
      const given = { name: "mine", inputShape: [8, 8, 1], trainable: false };
      expect({ ...make({ ...good, ...given }) }).toMatchObject(given);
    },
  );
});
