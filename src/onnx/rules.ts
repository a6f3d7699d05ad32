import { FeaturemapError } from "../base/errors.ts";
import { elements, type Shape } from "../base/shape.ts";
import type { Activation, activation as activationOp } from "../ops/activation/activation.ts";
import type { conv2d as conv2dOp } from "../ops/conv2d/conv2d.ts";
import type { conv2dTranspose as conv2dTransposeOp } from "../ops/conv2d/conv2d-transpose.ts";
import { kernelShapeOf } from "../ops/conv2d/convolution.ts";
import type { dense as denseOp } from "../ops/dense/dense.ts";
import type { depthwiseConv2d as depthwiseConv2dOp } from "../ops/depthwise-conv2d/depthwise-conv2d.ts";
import type { add as addOp } from "../ops/elementwise/add.ts";
import type { fill as fillOp } from "../ops/elementwise/fill.ts";
import type { multiply as multiplyOp } from "../ops/elementwise/multiply.ts";
import type { reshape as reshapeOp } from "../ops/elementwise/reshape.ts";
import type { stopGradient as stopGradientOp } from "../ops/elementwise/stop-gradient.ts";
import type { embedding as embeddingOp } from "../ops/embedding/embedding.ts";
import type { normalization as normalizationOp } from "../ops/normalization/normalization.ts";
import type { averagePooling2d as averagePooling2dOp } from "../ops/pooling/average-pooling2d.ts";
import type { maxPooling2d as maxPooling2dOp } from "../ops/pooling/max-pooling2d.ts";
import type { matmul as matmulOp } from "../ops/product/matmul.ts";
import type { softmax as softmaxOp } from "../ops/softmax/softmax.ts";
import { transposedGeometry, type WindowAttributes, windowGeometry } from "../ops/window.ts";
import { concatenate, pad, pointwise, transpose } from "./expression-rules.ts";
import { resample } from "./resample-rule.ts";
import type { OnnxAttribute, OnnxCall, OnnxRule } from "./rule.ts";

/** ONNX's order of images, out of [batch, height, width, channels]. */
export const NCHW = [0, 3, 1, 2];

/** ONNX's number of the type int64. */
const INT64 = 7;

/** ONNX's order of a convolution's kernel, out of [height, width, channels, filters]. */
const OIHW = [3, 2, 0, 1];

/** Attributes of what slides a window over an image. "same" is spelt out as pads: all sizes are known. */
function windowOf(x: Shape, window: WindowAttributes, where: string): Record<string, OnnxAttribute> {
  const { size, strides, dilation = [1, 1] } = window;
  const { outH, outW, padH, padW } = windowGeometry(x.slice(1), window, where);
  // What the last window needs beyond the image, which "valid" never does.
  const after = (out: number, axis: number, before: number) =>
    Math.max((out - 1) * strides[axis]! + (size[axis]! - 1) * dilation[axis]! + 1 - x[axis + 1]! - before, 0);
  return {
    kernel_shape: { ints: size },
    strides: { ints: strides },
    ...(Math.max(...dilation) > 1 && { dilations: { ints: dilation } }),
    pads: { ints: [padH, padW, after(outH, 0, padH), after(outW, 1, padW)] },
  };
}

/** ONNX's node for each activation, with the library's constants. */
const ACTIVATIONS: Readonly<
  Record<Exclude<Activation, "linear">, readonly [type: string, attributes?: Record<string, OnnxAttribute>]>
> = {
  relu: ["Relu"],
  sigmoid: ["Sigmoid"],
  tanh: ["Tanh"],
  elu: ["Elu", { alpha: { float: 1 } }],
  leakyRelu: ["LeakyRelu", { alpha: { float: 0.2 } }],
  softplus: ["Softplus"],
};

/** An activation after a node that may have one. */
function activated(add: OnnxCall<never, object>["add"], y: string, kind: Activation | undefined): string {
  if (kind === undefined || kind === "linear") return y;
  const [type, attributes] = ACTIVATIONS[kind];
  return add(type, [y], attributes);
}

const activation: OnnxRule<typeof activationOp> = ({ inputs: { x }, attributes: { kind }, readAsItLies, add }) => {
  const { name, order } = readAsItLies(x);
  return { y: { name: activated(add, name, kind), order } };
};

const add: OnnxRule<typeof addOp> = ({ inputs: { a, b }, read, readAsItLies, add }) => {
  const { name, order } = readAsItLies(a);
  return { c: { name: add("Add", [name, read(b, order)]), order } };
};

const multiply: OnnxRule<typeof multiplyOp> = ({ inputs: { a, b }, read, readAsItLies, add }) => {
  const { name, order } = readAsItLies(a);
  return { c: { name: add("Mul", [name, read(b, order)]), order } };
};

const fill: OnnxRule<typeof fillOp> = ({ attributes: { shape, value }, constant }) => ({
  y: constant({ floats: new Array<number>(elements(shape)).fill(value), shape }),
});

const averagePooling2d: OnnxRule<typeof averagePooling2dOp> = ({ name, inputs: { x }, attributes, read, add }) => ({
  y: { name: add("AveragePool", [read(x, NCHW)], windowOf(x.shape, attributes, name)), order: NCHW },
});

const conv2d: OnnxRule<typeof conv2dOp> = ({ name, inputs, attributes, read, add, constant }) => {
  const { x, kernel, bias } = inputs;
  const { activation, pool, groups = 1 } = attributes;
  if (pool) throw new FeaturemapError("value", `toOnnx: "${name}" has a pooling in it. Make it a node of its own.`);
  const [kH, kW, channels, filters] = kernelShapeOf(kernel.shape) as readonly [number, number, number, number];
  const oihw = () => add("Reshape", [read(kernel, [2, 1, 0]), constant({ ints: [filters, channels, kH, kW] })]);
  const operands = [read(x, NCHW), kernel.shape.length === 3 ? oihw() : read(kernel, OIHW), bias && read(bias)];
  const window = windowOf(x.shape, { ...attributes, size: [kH, kW] }, name);
  const y = add("Conv", operands, groups > 1 ? { ...window, group: { int: groups } } : window);
  return { y: { name: activated(add, y, activation), order: NCHW } };
};

/** ONNX takes padding off the output's start and end, or adds to its end. */
const conv2dTranspose: OnnxRule<typeof conv2dTransposeOp> = ({ name, inputs, attributes, read, add }) => {
  const { x, kernel, bias } = inputs;
  const { strides, dilation = [1, 1], activation } = attributes;
  const size = [kernel.shape[0]!, kernel.shape[1]!] as const;
  const { out, back } = transposedGeometry(x.shape.slice(1), { ...attributes, size }, name);
  const before = [back.padH, back.padW];
  const over = ([0, 1] as const).map(
    (i) => (x.shape[i + 1]! - 1) * strides[i] + (size[i] - 1) * dilation[i] + 1 - before[i]! - out[i],
  );
  const y = add("ConvTranspose", [read(x, NCHW), read(kernel, OIHW), bias && read(bias)], {
    kernel_shape: { ints: size },
    strides: { ints: strides },
    ...(Math.max(...dilation) > 1 && { dilations: { ints: dilation } }),
    pads: { ints: [...before, ...over.map((each) => Math.max(each, 0))] },
    output_padding: { ints: over.map((each) => Math.max(-each, 0)) },
  });
  return { y: { name: activated(add, y, activation), order: NCHW } };
};

/** ONNX's Gemm takes matrices only. */
const dense: OnnxRule<typeof denseOp> = ({ inputs: { x, kernel, bias }, attributes: { activation }, read, add }) => {
  if (x.shape.length === 2)
    return { y: activated(add, add("Gemm", [read(x), read(kernel), bias && read(bias)]), activation) };
  const product = add("MatMul", [read(x), read(kernel)]);
  return { y: activated(add, bias ? add("Add", [product, read(bias)]) : product, activation) };
};

const matmul: OnnxRule<typeof matmulOp> = ({ inputs: { a, b }, attributes, read, add }) => {
  const { transposeA, transposeB } = attributes;
  const last = a.shape.length - 1;
  const transposed = [...Array(last - 1).keys(), last, last - 1];
  const factors = [read(a, transposeA ? transposed : undefined), read(b, transposeB ? transposed : undefined)];
  return { c: add("MatMul", factors) };
};

const maxPooling2d: OnnxRule<typeof maxPooling2dOp> = ({ name, inputs: { x }, attributes, read, add }) => ({
  y: { name: add("MaxPool", [read(x, NCHW)], windowOf(x.shape, attributes, name)), order: NCHW },
});

/** ONNX Runtime refuses a number that names no row, where we make NaN. */
const embedding: OnnxRule<typeof embeddingOp> = ({ inputs: { x, table }, read, add }) => ({
  y: add("Gather", [read(table), add("Cast", [read(x)], { to: { int: INT64 } })], { axis: { int: 0 } }),
});

/** A convolution in as many groups as there are channels. */
const depthwiseConv2d: OnnxRule<typeof depthwiseConv2dOp> = ({ name, inputs, attributes, read, add, constant }) => {
  const { x, kernel, bias } = inputs;
  const { activation, pool } = attributes;
  if (pool) throw new FeaturemapError("value", `toOnnx: "${name}" has a pooling in it. Make it a node of its own.`);
  const [kH, kW, channels, multiplier] = kernel.shape as readonly [number, number, number, number];
  const grouped = constant({ ints: [channels * multiplier, 1, kH, kW] });
  const filters = add("Reshape", [read(kernel, [2, 3, 0, 1]), grouped]);
  const window = windowOf(x.shape, { ...attributes, size: [kH, kW] }, name);
  const y = add("Conv", [read(x, NCHW), filters, bias && read(bias)], { ...window, group: { int: channels } });
  return { y: { name: activated(add, y, activation), order: NCHW } };
};

/** By statistics that are given. ONNX's channels are the second axis, ours the last. */
const normalization: OnnxRule<typeof normalizationOp> = ({ inputs, attributes, read, add, constant }) => {
  const { x, mean, variance, gamma, beta } = inputs;
  const { epsilon, activation } = attributes;
  const last = x.shape.length - 1;
  const order = [0, last, ...[...x.shape.keys()].slice(1, last)];
  const all = (value: number) => constant({ floats: new Array<number>(x.shape[last]!).fill(value) });
  const scale = gamma ? read(gamma) : all(1);
  const shift = beta ? read(beta) : all(0);
  const y = add("BatchNormalization", [read(x, order), scale, shift, read(mean), read(variance)], {
    epsilon: { float: epsilon },
  });
  return { y: { name: activated(add, y, activation), order } };
};

/** The first axis is the batch's, and the only one that may differ. */
const reshape: OnnxRule<typeof reshapeOp> = ({ inputs: { x }, attributes: { shape }, read, add, constant }) => ({
  y: add("Reshape", [read(x), constant({ ints: [-1, ...shape.slice(1)] })]),
});

const softmax: OnnxRule<typeof softmaxOp> = ({ inputs: { x }, readAsItLies, add }) => {
  const { name, order } = readAsItLies(x);
  return { y: { name: add("Softmax", [name], { axis: { int: order.indexOf(order.length - 1) } }), order } };
};

const stopGradient: OnnxRule<typeof stopGradientOp> = ({ inputs: { x }, readAsItLies }) => ({ y: readAsItLies(x) });

/** A rule for each op that ONNX has, by the op's name. */
export const RULES: Readonly<Record<string, OnnxRule>> = {
  activation,
  add,
  averagePooling2d,
  concatenate,
  conv2d,
  conv2dTranspose,
  dense,
  depthwiseConv2d,
  embedding,
  fill,
  matmul,
  maxPooling2d,
  multiply,
  normalization,
  pad,
  pointwise,
  resample,
  reshape,
  softmax,
  stopGradient,
  transpose,
};
