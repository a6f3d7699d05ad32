import { finiteNumber, flag, knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import type { TensorId } from "../graph/tensor.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { stopGradient } from "../ops/elementwise/stop-gradient.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { softmax as softmaxOp } from "../ops/softmax/softmax.ts";
import { alongAxis } from "./along-axis.ts";
import type { ActivationCall, ActivationFunction } from "./options.ts";

/*
 * Keras's activations (`keras/src/activations/activations.py`) as values, for the option `activation` of a layer:
 * `conv2d({ filters: 8, kernelSize: 3, activation: gelu() })`. Each is an expression of an element, so it becomes one kernel with its
 * neighbours. Apps that do not import them do not ship them. Seven have names of their own, `"relu"` and its like, since they ride
 * in the kernel of the layer.
 */

function pointwiseActivation(name: string, expression: Expression, config: object = {}): ActivationFunction {
  return {
    name,
    config: { ...config },
    apply: ({ add }, x) => evaluated(add, expression, { x }),
  };
}

/** Options of `relu`. */
export interface ReluOptions {
  /** Slope below the threshold. Default 0. */
  readonly negativeSlope?: number;
  /** Largest value. Default: none. */
  readonly maxValue?: number;
  /** Where the numbers begin to pass as they are. Default 0. */
  readonly threshold?: number;
}

/**
 * Rectified linear unit in full: maxValue where x is at least that, x where it is at least `threshold`, else
 * negativeSlope (x - threshold). Keras's `relu`, and its layer `ReLU`.
 *
 * @throws FeaturemapError `value` for an option that is unknown, no finite number, or below 0
 */
export function relu(options: ReluOptions = {}): ActivationFunction {
  knownKeys(options, ["negativeSlope", "maxValue", "threshold"], "relu");
  const negativeSlope = finiteNumber(options.negativeSlope ?? 0, "relu: negativeSlope", 0);
  const threshold = finiteNumber(options.threshold ?? 0, "relu: threshold", 0);
  const { maxValue } = options;
  if (maxValue !== undefined) finiteNumber(maxValue, "relu: maxValue", 0);
  const passing: Expression = maxValue === undefined ? "x" : ["where", ["less", "x", maxValue], "x", maxValue];
  // JAX and TensorFlow give 0 the slope of the side below.
  const above: Expression = threshold === 0 ? ["greater", "x", 0] : ["greaterEqual", "x", threshold];
  const below: Expression = ["multiply", negativeSlope, ["subtract", "x", threshold]];
  const config = { negativeSlope, threshold, ...(maxValue !== undefined && { maxValue }) };
  return pointwiseActivation("relu", ["where", above, passing, below], config);
}

/** min(max(x, 0), 6). */
export function relu6(): ActivationFunction {
  return { ...relu({ maxValue: 6 }), name: "relu6", config: {} };
}

/**
 * x above 0, negativeSlope x below: Keras's `leaky_relu`. `"leakyRelu"` is the same with a slope of 0.2.
 *
 * @throws FeaturemapError `value` for an option that is unknown, no finite number, or below 0
 */
export function leakyRelu(options: { /** Default 0.2. */ readonly negativeSlope?: number } = {}): ActivationFunction {
  knownKeys(options, ["negativeSlope"], "leakyRelu");
  const negativeSlope = finiteNumber(options.negativeSlope ?? 0.2, "leakyRelu: negativeSlope", 0);
  const expression: Expression = ["where", ["greater", "x", 0], "x", ["multiply", negativeSlope, "x"]];
  return pointwiseActivation("leakyRelu", expression, { negativeSlope });
}

function alphaOption(options: { readonly alpha?: number }, where: string): number {
  knownKeys(options, ["alpha"], where);
  return finiteNumber(options.alpha ?? 1, `${where}: alpha`);
}

/** x above 0, alpha (e^x - 1) below: Clevert et al. 2015. `"elu"` is the same with an alpha of 1. */
export function elu(options: { /** Default 1. */ readonly alpha?: number } = {}): ActivationFunction {
  const alpha = alphaOption(options, "elu");
  return pointwiseActivation("elu", ["where", ["greater", "x", 0], "x", ["multiply", alpha, ["expm1", "x"]]], {
    alpha,
  });
}

/** max(0, x) + min(0, alpha (e^(x / alpha) - 1)): Barron 2017. */
export function celu(options: { /** Default 1. */ readonly alpha?: number } = {}): ActivationFunction {
  const alpha = alphaOption(options, "celu");
  if (alpha === 0) throw wrong("celu: alpha", "not be 0", alpha);
  const below: Expression = ["multiply", alpha, ["expm1", ["divide", "x", alpha]]];
  return pointwiseActivation("celu", ["where", ["greater", "x", 0], "x", below], { alpha });
}

/** Scaled exponential linear unit: Klambauer et al. 2017. It keeps mean 0 and variance 1, with `lecunNormal`. */
export function selu(): ActivationFunction {
  const [scale, alpha] = [1.0507009873554805, 1.6732632423543772];
  const below: Expression = ["multiply", alpha, ["expm1", "x"]];
  return pointwiseActivation("selu", ["multiply", scale, ["where", ["greater", "x", 0], "x", below]]);
}

/**
 * Gaussian error linear unit: x P(X <= x) for a standard normal X, or its approximation by tanh (Hendrycks and Gimpel 2016).
 *
 * @throws FeaturemapError `value` for an option that is unknown or no flag
 */
export function gelu(options: { /** Default false. */ readonly approximate?: boolean } = {}): ActivationFunction {
  knownKeys(options, ["approximate"], "gelu");
  const approximate = flag(options.approximate ?? false, "gelu: approximate");
  const inner: Expression = ["add", "x", ["multiply", 0.044715, ["multiply", "x", ["square", "x"]]]];
  const share: Expression = approximate
    ? ["add", 1, ["tanh", ["multiply", Math.sqrt(2 / Math.PI), inner]]]
    : ["erfc", ["multiply", -Math.SQRT1_2, "x"]];
  return pointwiseActivation("gelu", ["multiply", ["multiply", 0.5, "x"], share], { approximate });
}

/** x sigmoid(x), also called swish. */
export function silu(): ActivationFunction {
  return pointwiseActivation("silu", ["multiply", "x", ["sigmoid", "x"]]);
}

/** x tanh(softplus(x)): Misra 2019. */
export function mish(): ActivationFunction {
  return pointwiseActivation("mish", ["multiply", "x", ["tanh", ["softplus", "x"]]]);
}

/** min(max(x + 3, 0), 6) / 6. */
export function hardSigmoid(): ActivationFunction {
  return pointwiseActivation("hardSigmoid", hardSigmoidOf());
}

/** x times `hardSigmoid`, also called hard swish: Howard et al. 2019. */
export function hardSilu(): ActivationFunction {
  return pointwiseActivation("hardSilu", ["multiply", "x", hardSigmoidOf()]);
}

const hardSigmoidOf = (): Expression => ["divide", clipped(["add", "x", 3], 0, 6), 6];

/** A clip through which no gradient passes at its ends, as through Keras's `relu6`. */
function clipped(x: Expression, low: number, high: number): Expression {
  return ["where", ["greater", x, low], ["where", ["less", x, high], x, high], low];
}

/** x within -1 and 1. */
export function hardTanh(): ActivationFunction {
  return pointwiseActivation("hardTanh", clipped("x", -1, 1));
}

function thresholdOption(options: { readonly threshold?: number }, where: string): number {
  knownKeys(options, ["threshold"], where);
  return finiteNumber(options.threshold ?? 0.5, `${where}: threshold`);
}

/** x where |x| is above the threshold, else 0. */
export function hardShrink(options: { /** Default 0.5. */ readonly threshold?: number } = {}): ActivationFunction {
  const threshold = thresholdOption(options, "hardShrink");
  return pointwiseActivation("hardShrink", ["where", ["greater", ["abs", "x"], threshold], "x", 0], { threshold });
}

/** x, nearer to 0 by the threshold, or 0. */
export function softShrink(options: { /** Default 0.5. */ readonly threshold?: number } = {}): ActivationFunction {
  const threshold = thresholdOption(options, "softShrink");
  const below: Expression = ["where", ["less", "x", -threshold], ["add", "x", threshold], 0];
  const expression: Expression = ["where", ["greater", "x", threshold], ["subtract", "x", threshold], below];
  return pointwiseActivation("softShrink", expression, { threshold });
}

/** x - tanh(x). */
export function tanhShrink(): ActivationFunction {
  return pointwiseActivation("tanhShrink", ["subtract", "x", ["tanh", "x"]]);
}

/** x / (1 + |x|). */
export function softsign(): ActivationFunction {
  return pointwiseActivation("softsign", ["divide", "x", ["add", 1, ["abs", "x"]]]);
}

/** e^x. */
export function exponential(): ActivationFunction {
  return pointwiseActivation("exponential", ["exp", "x"]);
}

/** ln sigmoid(x). */
export function logSigmoid(): ActivationFunction {
  return pointwiseActivation("logSigmoid", ["negative", ["softplus", ["negative", "x"]]]);
}

/** (x + sqrt(x^2 + b)) / 2. */
export function squareplus(options: { /** Default 4. */ readonly b?: number } = {}): ActivationFunction {
  knownKeys(options, ["b"], "squareplus");
  const b = finiteNumber(options.b ?? 4, "squareplus: b", 0);
  const root: Expression = ["sqrt", ["add", ["square", "x"], b]];
  return pointwiseActivation("squareplus", ["divide", ["add", "x", root], 2], { b });
}

/** 0 up to -1, (x + 1)^2 / 4 up to 1, x from there on. */
export function sparsePlus(): ActivationFunction {
  const between: Expression = ["divide", ["square", ["add", "x", 1]], 4];
  return pointwiseActivation("sparsePlus", [
    "where",
    ["greater", "x", -1],
    ["where", ["less", "x", 1], between, "x"],
    0,
  ]);
}

/** 0 up to -1, (x + 1) / 2 up to 1, 1 from there on. */
export function sparseSigmoid(): ActivationFunction {
  return pointwiseActivation("sparseSigmoid", ["divide", clipped(["add", "x", 1], 0, 2), 2]);
}

/** Options of what runs over an axis. */
export interface AxisOptions {
  /** Axis, counted with the batch's, which is 0, or from the end. Default -1. */
  readonly axis?: number;
}

function axisOption(options: AxisOptions, where: string): number {
  knownKeys(options, ["axis"], where);
  const axis = wholeNumber(options.axis ?? -1, `${where}: axis`);
  if (axis === 0) throw wrong(`${where}: axis`, "not be the batch's", axis);
  return axis;
}

/**
 * Softmax over an axis. `"softmax"` is the same over the last.
 *
 * @throws FeaturemapError `value` for an option that is unknown, or an axis that the input does not have
 */
export function softmax(options: AxisOptions = {}): ActivationFunction {
  const axis = axisOption(options, "softmax");
  return {
    name: "softmax",
    config: { axis },
    apply: (call, x) => alongAxis(call, x, axis, "softmax", (last) => call.add(softmaxOp, { x: last }).y),
  };
}

/** Logarithm of the softmax over an axis: x - m - ln sum of e^(x - m), with the maximum m. Throws as `softmax` does. */
export function logSoftmax(options: AxisOptions = {}): ActivationFunction {
  const axis = axisOption(options, "logSoftmax");
  const apply = (call: ActivationCall, x: TensorId) => {
    const { add, shapeOf } = call;
    return alongAxis(call, x, axis, "logSoftmax", (last) => {
      const axes = [shapeOf(last).length - 1];
      const along = (kind: "max" | "sum") => ({ reduction: { kind, axes, keepDims: true } }) as const;
      // The result does not depend on m, and so neither does its gradient.
      const m = add(stopGradient, { x: evaluated(add, "x", { x: last }, along("max")) }).y;
      const shifted: Expression = ["subtract", "x", "m"];
      const sum = evaluated(add, ["exp", shifted], { x: last, m }, along("sum"));
      return evaluated(add, ["subtract", shifted, ["log", "sum"]], { x: last, m, sum });
    });
  };
  return { name: "logSoftmax", config: { axis }, apply };
}

/**
 * Projection of x on the probabilities that are nearest to it, along an axis (Martins and Astudillo 2016): max(x - t, 0), with the t by
 * which they add up to 1. Keras's `sparsemax`, as it is since keras-team/keras#23469. Before, in 3.15 too, the sum was another. It
 * compares each number with each. Throws as `softmax` does.
 */
export function sparsemax(options: AxisOptions = {}): ActivationFunction {
  const axis = axisOption(options, "sparsemax");
  const apply = (call: ActivationCall, x: TensorId) => {
    const { add, shapeOf } = call;
    return alongAxis(call, x, axis, "sparsemax", (last) => {
      const shape = shapeOf(last);
      const axes = [shape.length];
      const each = add(reshape, { x: last }, { shape: [...shape, 1] }).y;
      const other = add(reshape, { x: last }, { shape: [...shape.slice(0, -1), 1, shape.at(-1)!] }).y;
      const over = (of: Expression) =>
        evaluated(
          add,
          ["where", ["greaterEqual", "other", "each"], of, 0],
          { each, other },
          { reduction: { kind: "sum", axes, keepDims: false } },
        );
      // Which numbers are above t depends on none of them smoothly.
      const [count, sum] = [1, "other"].map((of) => add(stopGradient, { x: over(of) }).y);
      const isAbove: Expression = ["greater", ["add", 1, ["multiply", "count", "x"]], "sum"];
      const along = { reduction: { kind: "sum", axes: [shape.length - 1], keepDims: true } } as const;
      const of = { x: add(stopGradient, { x: last }).y, count: count!, sum: sum! };
      const above = add(stopGradient, { x: evaluated(add, isAbove, of) }).y;
      // What is left out adds nothing, but a NaN reaches the whole row.
      const left: Expression = ["where", ["equal", "x", "x"], 0, "x"];
      const total = evaluated(add, ["where", "above", "x", left], { above, x: last }, along);
      const size = evaluated(add, "above", { above }, along);
      const t: Expression = ["divide", ["subtract", "total", 1], "size"];
      return evaluated(add, ["maximum", ["subtract", "x", t], 0], { x: last, total, size });
    });
  };
  return { name: "sparsemax", config: { axis }, apply };
}
