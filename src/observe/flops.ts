import { elements, type Shape } from "../base/shape.ts";
import type { Named, Op } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { activation as activationOp } from "../ops/activation/activation.ts";
import type { conv2d as conv2dOp } from "../ops/conv2d/conv2d.ts";
import type { conv2dTranspose as conv2dTransposeOp } from "../ops/conv2d/conv2d-transpose.ts";
import type { dense as denseOp } from "../ops/dense/dense.ts";
import type { depthwiseConv2d as depthwiseConv2dOp } from "../ops/depthwise-conv2d/depthwise-conv2d.ts";
import type { add as addOp } from "../ops/elementwise/add.ts";
import type { normalization as normalizationOp } from "../ops/normalization/normalization.ts";
import { callsIn } from "../ops/pointwise/expression.ts";
import type { pointwise as pointwiseOp } from "../ops/pointwise/pointwise.ts";
import { wholeShape } from "../ops/pointwise/whole.ts";
import type { maxPooling2d as maxPooling2dOp } from "../ops/pooling/max-pooling2d.ts";
import type { matmul as matmulOp } from "../ops/product/matmul.ts";
import type { resample as resampleOp } from "../ops/resample/resample.ts";

/** Node of a model's inference, for a batch of one. */
export interface FlopsCall<I extends string, O extends string, A extends object> {
  /** Name of the node: its layer's, or what begins with it. */
  readonly name: string;
  readonly inputs: Named<I, Tensor>;
  readonly outputs: Named<O, Tensor>;
  readonly attributes: A;
}

/**
 * Counts the floating-point operations of a node of one op.
 *
 * @typeParam T The op: `FlopsRule<typeof scale>` knows its inputs, outputs and attributes.
 * @example
 * const rule: FlopsRule<typeof scale> = ({ outputs: { y } }) => y.shape.reduce((a, b) => a * b);
 */
// biome-ignore lint/suspicious/noExplicitAny: a table holds rules of any op
export type FlopsRule<T extends Op<any, any, any> = Op<any, any, any>> =
  T extends Op<infer I, infer O, infer A> ? (call: FlopsCall<I, O, A>) => number : never;

/** Sum over terms: a multiplication and an addition each. */
const product = (sums: Shape, terms: number) => 2 * elements(sums) * terms;

/** What a kernel adds to its outputs: a bias, and an activation, which is one operation a number. */
function epilogue(y: Tensor, bias: Tensor | undefined, activation: string | undefined): number {
  const steps = (bias ? 1 : 0) + (activation === undefined || activation === "linear" ? 0 : 1);
  return steps * elements(y.shape);
}

const activation: FlopsRule<typeof activationOp> = ({ outputs: { y }, attributes: { kind } }) =>
  epilogue(y, undefined, kind);

const elementwise: FlopsRule<typeof addOp> = ({ outputs: { c } }) => elements(c.shape);

/** Each output is a sum over its window in all channels of its group. Padding counts as numbers do. */
const conv2d: FlopsRule<typeof conv2dOp> = ({ inputs: { kernel, bias }, outputs: { y }, attributes }) =>
  product(y.shape, elements(kernel.shape.slice(0, 3))) + epilogue(y, bias, attributes.activation);

/** Each number of x goes to a window of y, in all filters. What is cropped counts, as padding does. */
const conv2dTranspose: FlopsRule<typeof conv2dTransposeOp> = ({
  inputs: { x, kernel, bias },
  outputs: { y },
  attributes,
}) => product(x.shape, elements(kernel.shape.slice(0, 3))) + epilogue(y, bias, attributes.activation);

const depthwiseConv2d: FlopsRule<typeof depthwiseConv2dOp> = ({ inputs, outputs: { y }, attributes }) =>
  product(y.shape, elements(inputs.kernel.shape.slice(0, 2))) + epilogue(y, inputs.bias, attributes.activation);

const dense: FlopsRule<typeof denseOp> = ({ inputs: { kernel, bias }, outputs: { y }, attributes }) =>
  product(y.shape, kernel.shape[0]!) + epilogue(y, bias, attributes.activation);

const matmul: FlopsRule<typeof matmulOp> = ({ inputs: { a }, outputs: { c }, attributes }) =>
  product(c.shape, a.shape.at(attributes.transposeA ? -2 : -1)!);

/** Each output takes its window, one operation a number: a comparison, or an addition and in the end the division. */
const pooling: FlopsRule<typeof maxPooling2dOp> = ({ outputs: { y }, attributes: { size } }) =>
  elements(y.shape) * size[0] * size[1];

/** A channel's factor is gamma / sqrt(variance + epsilon). A number is centred, multiplied and shifted. */
const normalization: FlopsRule<typeof normalizationOp> = ({ inputs, outputs: { y }, attributes }) => {
  const factor = 3 * elements(inputs.variance.shape);
  return factor + 2 * elements(y.shape) + epilogue(y, inputs.beta, attributes.activation);
};

/** Each function of an expression is one operation. A reduction takes one a number, a mean one more a result. */
const pointwise: FlopsRule<typeof pointwiseOp> = ({ name, inputs, outputs: { y }, attributes }) => {
  const { expression, reduction, shape } = attributes;
  const shapes = Object.values(inputs as Readonly<Record<string, Tensor | undefined>>).flatMap((x) =>
    x?.shape ? [x.shape] : [],
  );
  const whole = elements(wholeShape(shapes, shape, name));
  const reduced = reduction ? whole + (reduction.kind === "mean" ? elements(y.shape) : 0) : 0;
  return callsIn(expression) * whole + reduced + epilogue(y, undefined, attributes.activation);
};

/** Each number is a sum over two places of x or, antialiased, over those within reach of a triangle. The nearest one is only moved. */
const resample: FlopsRule<typeof resampleOp> = ({ inputs: { x }, outputs: { y }, attributes }) => {
  const { axis, size, interpolation, antialias } = attributes;
  if (interpolation === "nearest") return 0;
  const shorter = x.shape[axis]! / size;
  return product(y.shape, antialias && shorter > 1 ? Math.ceil(2 * shorter) : 2);
};

/** A maximum, a difference, an exponential, a sum and a quotient for each number. */
const softmax: FlopsRule = ({ outputs }) => 5 * elements((outputs as { readonly y: Tensor }).y.shape);

/** Moves numbers, and computes none. */
const none: FlopsRule = () => 0;

/** Gives the rules of the library's ops that may stand in an inference, by the ops' names. */
export function flopsRules(): Readonly<Record<string, FlopsRule>> {
  return {
    activation,
    add: elementwise,
    averagePooling2d: pooling,
    concatenate: none,
    conv2d,
    conv2dTranspose,
    dense,
    depthwiseConv2d,
    dropout: none,
    embedding: none,
    fill: none,
    matmul,
    maxPooling2d: pooling,
    multiply: elementwise,
    normalization,
    pad: none,
    pointwise,
    resample,
    reshape: none,
    softmax,
    stopGradient: none,
    transpose: none,
  };
}
