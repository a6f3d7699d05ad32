import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  conv2d,
  createRuntime,
  defineOp,
  dense,
  FeaturemapError,
  type Model,
  maxPooling2d,
  sequential,
} from "../../src/index.ts";
import { type OnnxOptions, toOnnx } from "../../src/onnx/onnx.ts";
import { failure } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";
import { fileOf, generated, keepingDevice, nodesOf } from "../support/onnx.ts";

describe("the article's network as an ONNX file", () => {
  it("is a chain of ONNX's nodes, NCHW inside, in the model's words outside", async () => {
    const file = await fileOf(sequential(articleLayers(), { name: "digits" }));
    expect(file).toMatchObject({ irVersion: 8, producer: "featuremap", opsets: [{ domain: "", version: 17 }] });
    expect(file.name).toBe("digits");
    expect(file.inputs).toEqual({ input: ["N", 28, 28, 1] });
    expect(file.outputs).toEqual({ dense_1: ["N", 10] });
    expect(file.nodes).toEqual([
      "Transpose(input) -> input/Transpose",
      "Conv(input/Transpose, conv2d/kernel, conv2d/bias) -> conv2d",
      "Relu(conv2d) -> conv2d/activation",
      "MaxPool(conv2d/activation) -> max_pooling2d",
      "Conv(max_pooling2d, conv2d_1/kernel, conv2d_1/bias) -> conv2d_1",
      "Relu(conv2d_1) -> conv2d_1/activation",
      "MaxPool(conv2d_1/activation) -> max_pooling2d_1",
      "Transpose(max_pooling2d_1) -> max_pooling2d_1/Transpose",
      "Reshape(max_pooling2d_1/Transpose, flatten/constant) -> flatten",
      "Gemm(flatten, dense/kernel, dense/bias) -> dense",
      "Relu(dense) -> dense/activation",
      "Gemm(dense/activation, dense_1/kernel, dense_1/bias) -> dense_1_1",
      "Softmax(dense_1_1) -> dense_1",
    ]);
    const window = (size: number, stride: number) => ({
      kernel_shape: { ints: [size, size] },
      strides: { ints: [stride, stride] },
      pads: { ints: [0, 0, 0, 0] },
    });
    expect(file.attributes).toEqual({
      "input/Transpose": { perm: { ints: [0, 3, 1, 2] } },
      conv2d: window(5, 1),
      "conv2d/activation": {},
      max_pooling2d: window(2, 2),
      conv2d_1: window(5, 1),
      "conv2d_1/activation": {},
      max_pooling2d_1: window(2, 2),
      "max_pooling2d_1/Transpose": { perm: { ints: [0, 2, 3, 1] } },
      flatten: {},
      dense: {},
      "dense/activation": {},
      dense_1: {},
      "dense_1/softmax": { axis: { int: 1 } },
    });
    expect(Object.entries(file.weights).map(([name, { dims }]) => [name, dims])).toEqual([
      ["conv2d/kernel", [32, 1, 5, 5]],
      ["conv2d/bias", [32]],
      ["conv2d_1/kernel", [64, 32, 5, 5]],
      ["conv2d_1/bias", [64]],
      ["flatten/constant", [2]],
      ["dense/kernel", [1024, 1000]],
      ["dense/bias", [1000]],
      ["dense_1/kernel", [1000, 10]],
      ["dense_1/bias", [10]],
    ]);
    expect(file.weights["flatten/constant"]!.data).toEqual([-1, 1024]);
    // Its own memory: a view into more would be sent or stored with what is beside it.
    expect(file.bytes.buffer.byteLength).toBe(file.bytes.byteLength);
    expect(file.bytes.byteLength).toBeLessThan(1_087_106 * 4 + 2500);
  });

  it("takes and gives images as NCHW where that is asked for", async () => {
    const small = () =>
      sequential([conv2d({ filters: 2, kernelSize: 3, inputShape: [6, 5, 3] }), maxPooling2d({ poolSize: 2 })]);
    const nchw = await fileOf(small(), { layout: "nchw" });
    expect(nchw.inputs).toEqual({ input: ["N", 3, 6, 5] });
    expect(nchw.outputs).toEqual({ max_pooling2d: ["N", 2, 2, 1] });
    expect(nchw.nodes).toEqual([
      "Conv(input, conv2d/kernel, conv2d/bias) -> conv2d",
      "MaxPool(conv2d) -> max_pooling2d",
    ]);
    const nhwc = await fileOf(small(), { layout: "nhwc" });
    expect(nhwc.outputs).toEqual({ max_pooling2d: ["N", 2, 1, 2] });
    expect(nhwc.nodes).toEqual([
      "Transpose(input) -> input/Transpose",
      "Conv(input/Transpose, conv2d/kernel, conv2d/bias) -> conv2d",
      "MaxPool(conv2d) -> max_pooling2d_1",
      "Transpose(max_pooling2d_1) -> max_pooling2d",
    ]);
    // The weights are the same: dense kernels after a flatten too, which always sees the model's order.
    expect(nchw.weights).toEqual(nhwc.weights);
  });
});

describe("toOnnx", () => {
  const layer = () => dense({ units: 2, inputShape: [3] });
  const rejected = async (made: unknown, options?: unknown): Promise<FeaturemapError> => {
    const error: unknown = await toOnnx(made as Model, options as OnnxOptions).then(
      () => undefined,
      (it) => it,
    );
    expect(error).toBeInstanceOf(FeaturemapError);
    return error as FeaturemapError;
  };

  it("refuses wrong options and what is no compiled model", async () => {
    const made = sequential([layer()]);
    await made.compile({ runtime: await createRuntime({ device: keepingDevice() }) });
    expect((await toOnnx(made)).length).toBeGreaterThan(30);
    for (const [options, message] of [
      [{ layout: "NCHW" }, /toOnnx: layout must be one of "nhwc", "nchw", got "NCHW"/],
      [{ format: "nchw" }, /toOnnx has no option "format"\. It takes: layout, rules/],
      [{ rules: [] }, /toOnnx: rules must be an object/],
      [{ rules: { a: {} } }, /toOnnx: rules: a must be a function/],
      [null, /toOnnx must be given an object of options, got null/],
    ] as const)
      expect(await rejected(made, options)).toMatchObject({ code: "value", message });
    expect(await rejected({})).toMatchObject({ code: "value", message: /toOnnx: model must come from sequential\(\)/ });
    expect(await rejected(sequential([layer()]))).toMatchObject({ code: "state", message: /^toOnnx cannot go on/ });
    made.dispose();
    expect(await rejected(made)).toMatchObject({ code: "state" });
  });

  it("has no rule for an op by accident", () => {
    const own = defineOp({ name: "constructor", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });
    const made = sequential([{ type: "Own", inputShape: [3], call: ({ input, add }) => add(own, { x: input }).y }]);
    expect(failure(() => nodesOf(made)).message).toContain('adds the op "constructor"');
  });
});

describe("src/onnx/proto", () => {
  it("has what pbf makes of onnx.proto", () => {
    const file = new URL("../../src/onnx/proto/onnx.js", import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(generated("--no-read"));
  });
});
