import { describe, expect, it } from "vitest";
import {
  averagePooling2d,
  batchNormalization,
  concatenate,
  conv2d,
  cropping2d,
  defineLayer,
  dense,
  depthwiseConv2d,
  input,
  type Layer,
  type Model,
  maxPooling2d,
  model,
  ops,
  permute,
  sequential,
  zeroPadding2d,
} from "../../src/index.ts";
import { graphOf, nodesOf } from "../support/onnx.ts";

/** What a window needs beyond an image, one by one, by Keras's rule. */
function paddingOf(length: number, size: number, stride: number): [before: number, after: number] {
  const windows = Math.ceil(length / stride);
  let needed = 0;
  for (let i = 0; i < windows; i++) needed = Math.max(needed, i * stride + size - length);
  return [Math.floor(needed / 2), Math.ceil(needed / 2)];
}

describe("windows in an ONNX file", () => {
  const cases = [
    { image: [7, 7], size: [3, 3], strides: [1, 1] },
    { image: [7, 8], size: [3, 3], strides: [2, 2] },
    { image: [8, 7], size: [2, 5], strides: [2, 3] },
    { image: [5, 9], size: [1, 1], strides: [2, 4] },
    { image: [2, 3], size: [5, 4], strides: [1, 2] },
    { image: [65, 1], size: [4, 7], strides: [3, 1] },
  ] as const;
  const attributesOf = (made: Model) => graphOf(made).nodes.find(({ type }) => type !== "Transpose")!.attributes;

  it.each(cases)("of $size by $strides over $image are padded as Keras pads for same", ({ image, size, strides }) => {
    const inputShape = [...image, 2];
    const [top, bottom] = paddingOf(image[0], size[0], strides[0]);
    const [left, right] = paddingOf(image[1], size[1], strides[1]);
    const want = {
      kernel_shape: { ints: size },
      strides: { ints: strides },
      pads: { ints: [top, left, bottom, right] },
    };
    const pooling = { poolSize: size, strides, padding: "same", inputShape } as const;
    const layers = [
      conv2d({ filters: 1, kernelSize: size, strides, padding: "same", inputShape }),
      maxPooling2d(pooling),
      averagePooling2d(pooling),
    ];
    for (const layer of layers) expect(attributesOf(sequential([layer]))).toEqual(want);
  });

  it("that are valid have no padding, also where the last does not reach the border", () => {
    const made = sequential([maxPooling2d({ poolSize: 3, strides: 2, inputShape: [8, 9, 1] })]);
    expect(attributesOf(made).pads).toEqual({ ints: [0, 0, 0, 0] });
  });
});

describe("activations in an ONNX file", () => {
  it.each([
    ["relu", "Relu", {}],
    ["sigmoid", "Sigmoid", {}],
    ["tanh", "Tanh", {}],
    ["elu", "Elu", { alpha: { float: 1 } }],
    ["leakyRelu", "LeakyRelu", { alpha: { float: 0.2 } }],
    ["softplus", "Softplus", {}],
    ["softmax", "Softmax", { axis: { int: 1 } }],
  ] as const)("%s is %s", (activation, type, attributes) => {
    const { nodes } = graphOf(sequential([dense({ units: 2, activation, inputShape: [3] })]));
    expect(nodes.map((node) => node.type)).toEqual(["Gemm", type]);
    expect(nodes[1]!.attributes).toEqual(attributes);
  });

  it("linear is nothing", () => {
    expect(nodesOf(sequential([dense({ units: 2, inputShape: [3] })]))).toEqual([
      "Gemm(input, dense/kernel, dense/bias) -> dense",
    ]);
  });

  it("softmax runs over the channels of images, wherever their axis is", () => {
    const made = sequential([conv2d({ filters: 3, kernelSize: 1, activation: "softmax", inputShape: [2, 2, 1] })]);
    const { nodes } = graphOf(made);
    expect(nodes.map(({ type }) => type)).toEqual(["Transpose", "Conv", "Softmax", "Transpose"]);
    expect(nodes[2]!.attributes).toEqual({ axis: { int: 1 } });
  });

  it("that ride in an op are nodes after it", () => {
    const own = defineLayer({
      type: "Own",
      inputShape: [3],
      variables: () => [{ name: "kernel", shape: [3, 2], initializer: "glorotUniform" }],
      call: ({ input, variables: { kernel }, add }) =>
        add(ops.dense, { x: input, kernel: kernel! }, { activation: "tanh" }).y,
    });
    expect(nodesOf(sequential([own]))).toEqual(["Gemm(input, own/kernel, ) -> own_1", "Tanh(own_1) -> own"]);
  });
});

describe("a product in an ONNX file", () => {
  it("multiplies matrices, either of them transposed", () => {
    const [a, b] = [input({ shape: [2, 3], name: "a" }), input({ shape: [4, 3], name: "b" })];
    const product = defineLayer({
      type: "Product",
      call: ({ inputs, add }) => add(ops.matmul, { a: inputs[0]!, b: inputs[1]! }, { transposeB: true }).c,
    });
    const { nodes, outputs } = graphOf(model({ inputs: [a, b], outputs: product([a, b]) }));
    expect(nodes.map(({ type, inputs }) => [type, ...inputs])).toEqual([
      ["Transpose", "b"],
      ["MatMul", "a", "b/Transpose"],
    ]);
    expect(nodes[0]!.attributes).toEqual({ perm: { ints: [0, 2, 1] } });
    expect(outputs).toEqual([{ name: "product", shape: [2, 4] }]);
  });
});

describe("products and constants in an ONNX file", () => {
  it("are Mul, and numbers that the file holds", () => {
    const layer = defineLayer({
      type: "Halves",
      inputShape: [3],
      call: ({ input, add }) => {
        const kernel = add(ops.fill, {}, { shape: [3, 2], value: 0.5 }).y;
        return add(ops.dense, { x: add(ops.multiply, { a: input, b: input }).c, kernel }).y;
      },
    });
    const { nodes, initializers } = graphOf(sequential([layer]));
    expect(nodes.map(({ type }) => type)).toEqual(["Mul", "Gemm"]);
    expect(initializers.map(({ shape, values }) => [shape, values])).toEqual([
      [[3, 2], { floats: Array(6).fill(0.5) }],
    ]);
  });
});

describe("a depthwise convolution in an ONNX file", () => {
  it("has as many groups as channels, and its kernel by channels and their multiples", () => {
    const layer = depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 2, inputShape: [4, 4, 5], useBias: false });
    const { nodes, initializers } = graphOf(sequential([layer]));
    expect(nodes.map(({ type }) => type)).toEqual(["Reshape", "Transpose", "Conv", "Transpose"]);
    expect(nodes.find(({ type }) => type === "Conv")!.attributes).toMatchObject({ group: { int: 5 } });
    expect(initializers.map(({ shape, values }) => [shape, values])).toEqual([
      [[4], { ints: [10, 1, 3, 2] }],
      [[5, 2, 3, 2], { path: "depthwise_conv2d/kernel", order: [2, 3, 0, 1] }],
    ]);
  });
});

describe("a normalization in an ONNX file", () => {
  it("reads channels as the second axis, and 1 and 0 where there is no gamma and no beta", () => {
    const { nodes, initializers } = graphOf(
      sequential([batchNormalization({ center: false, scale: false, epsilon: 0.5, inputShape: [2, 2, 3] })]),
    );
    expect(nodes.map(({ type }) => type)).toEqual(["Transpose", "BatchNormalization", "Transpose"]);
    expect(nodes[1]!.attributes).toEqual({ epsilon: { float: 0.5 } });
    expect(nodes[1]!.inputs.slice(1).map((name) => initializers.find((each) => each.name === name)!.values)).toEqual([
      { floats: [1, 1, 1] },
      { floats: [0, 0, 0] },
      { path: "batch_normalization/moving_mean", order: [0] },
      { path: "batch_normalization/moving_variance", order: [0] },
    ]);
  });
});

describe("expressions in an ONNX file", () => {
  const own = (...call: Parameters<typeof ops.evaluated> extends [unknown, ...infer Rest] ? Rest : never) =>
    defineLayer({ type: "Own", call: ({ input: x, add }) => ops.evaluated(add, call[0], { x, ...call[1] }, call[2]) });
  const nodesFor = (layer: Layer, shape = [3]) => {
    const x = input({ shape });
    return graphOf(model({ inputs: x, outputs: layer(x) })).nodes;
  };

  it("are a node for each part, written once", () => {
    const square: ops.Expression = ["square", "x"];
    const nodes = nodesFor(own(["add", square, ["exp", square]], {}));
    expect(nodes.map(({ type }) => type)).toEqual(["Mul", "Exp", "Add"]);
  });

  it("compare to numbers, not to truth values", () => {
    const nodes = nodesFor(own(["greater", "x", 0], {}));
    expect(nodes.map(({ type, attributes }) => [type, attributes])).toEqual([
      ["Greater", {}],
      ["Cast", { to: { int: 1 } }],
    ]);
  });

  it("choose b where c is 0", () => {
    const [equal, where] = nodesFor(own(["where", "x", 2, 3], {}));
    expect([equal!.type, where!.type]).toEqual(["Equal", "Where"]);
    expect(where!.inputs[0]).toBe(equal!.output);
  });

  it("are reduced by axes in the model's order", () => {
    const mean = { reduction: { kind: "mean", axes: [1, 2], keepDims: true } } as const;
    const [node] = nodesFor(own("x", {}, mean), [4, 5, 2]);
    expect([node!.type, node!.attributes]).toEqual(["ReduceMean", { axes: { ints: [1, 2] }, keepdims: { int: 1 } }]);
    const sum = { reduction: { kind: "sum", axes: [3], keepDims: false } } as const;
    const [total] = nodesFor(own("x", {}, sum), [4, 5, 2]);
    expect([total!.type, total!.attributes]).toEqual(["ReduceSum", { keepdims: { int: 0 } }]);
  });

  it("are cut and padded, transposed and joined by ONNX's own nodes", () => {
    expect(nodesFor(cropping2d({ cropping: 1 }), [4, 4, 2]).map(({ type }) => type)).toEqual(["Slice"]);
    const [padding] = nodesFor(zeroPadding2d({ padding: 1 }), [4, 4, 2]);
    expect(padding!.type).toBe("Pad");
    expect(nodesFor(permute({ dims: [2, 1] }), [4, 2]).map(({ type }) => type)).toEqual(["Transpose"]);
    const x = input({ shape: [4] });
    const joined = graphOf(model({ inputs: x, outputs: concatenate()([x, x]) })).nodes;
    expect(joined.map(({ type, attributes }) => [type, attributes])).toEqual([["Concat", { axis: { int: 1 } }]]);
  });
});
