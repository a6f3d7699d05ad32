/** One training step of a sequential network in float64, put together from the references beside this file. */

import { type Activation, activate, activationGradient } from "./activation.ts";
import { conv2d, conv2dFilterGradient, conv2dInputGradient, type Padding, type Pair, type Shape4 } from "./conv2d.ts";
import { depthwiseConv2d, depthwiseConv2dFilterGradient, depthwiseConv2dInputGradient } from "./depthwise-conv2d.ts";
import { dense, denseGradients } from "./matmul.ts";
import { averagePooling2d, averagePooling2dGradient, maxPooling2d, maxPooling2dGradient } from "./pooling2d.ts";
import { softmax, softmaxCrossEntropy } from "./softmax.ts";

type Size = number | readonly number[];

/** The plain-data form of a layer, with Keras's defaults: strides 1 (pooling: poolSize), "valid", linear, a bias. */
export type LayerSpec =
  | {
      readonly layer: "conv2d";
      readonly filters: number;
      readonly kernelSize: Size;
      readonly strides?: Size;
      readonly padding?: Padding;
      readonly activation?: Activation;
      readonly useBias?: boolean;
    }
  | {
      readonly layer: "maxPooling2d" | "averagePooling2d";
      readonly poolSize?: Size;
      readonly strides?: Size;
      readonly padding?: Padding;
    }
  | {
      readonly layer: "depthwiseConv2d";
      readonly kernelSize: Size;
      readonly depthMultiplier?: number;
      readonly strides?: Size;
      readonly padding?: Padding;
      readonly activation?: Activation;
      readonly useBias?: boolean;
    }
  | { readonly layer: "flatten" | "globalAveragePooling2d" }
  | {
      readonly layer: "dense";
      readonly units: number;
      readonly activation?: Activation | "softmax";
      readonly useBias?: boolean;
    };

export interface Step {
  /** Mean cross-entropy over the rows in use. */
  readonly loss: number;
  /** How many rows in use have their first largest output at the label's class. */
  readonly correct: number;
  /** Of `loss`, one per entry of `weights`, in the same order. */
  readonly gradients: Float64Array[];
  /** The softmax output, [rows, classes]. */
  readonly probabilities: Float64Array;
}

/** What one layer did on the way forward and how its gradient comes back. */
interface Done {
  readonly y: Float64Array;
  readonly shape: readonly number[];
  /** Of the gradient by y: the gradient by the layer's input, and by its weights in their order. */
  back(dY: Float64Array): { dX: Float64Array; dWeights: Float64Array[] };
}

/** Shapes of the weights in Keras's order: per layer the kernel (HWIO or [inputs, units]), then the bias. */
export function weightShapes(network: readonly LayerSpec[], inputShape: readonly number[]): number[][] {
  const shapes: number[][] = [];
  const empty = new Float64Array(0);
  let shape: readonly number[] = [0, ...inputShape];
  for (const spec of network) {
    const own = ownWeightShapes(spec, shape);
    shapes.push(...own);
    const zeros = own.map((weightShape) => new Float64Array(weightShape.reduce((product, length) => product * length)));
    shape = forward(spec, empty, shape, zeros).shape;
  }
  return shapes;
}

/**
 * Forward, softmax cross-entropy and backward: loss = mean over rows in use of -sum of label * log softmax.
 *
 * `inputShape` is one sample's ([h, w, c] or [features]); x is [rows, ...inputShape], labels [rows, classes], weights as
 * `weightShapes` lists them. The last layer must be dense with softmax, the only place where softmax is allowed.
 * Rows from `rowsInUse` on count for nothing.
 */
export function forwardBackward(
  network: readonly LayerSpec[],
  inputShape: readonly number[],
  weights: readonly Float64Array[],
  x: Float64Array,
  labels: ArrayLike<number>,
  rowsInUse?: number,
): Step {
  const classes = softmaxUnits(network);
  const rows = x.length / inputShape.reduce((product, length) => product * length, 1);
  const layers: Done[] = [];
  let y = x;
  let shape: readonly number[] = [rows, ...inputShape];
  let used = 0;
  for (const spec of network) {
    const count = ownWeightShapes(spec, shape).length;
    const done = forward(spec, y, shape, weights.slice(used, used + count));
    layers.push(done);
    used += count;
    y = done.y;
    shape = done.shape;
  }
  if (used !== weights.length) throw new Error(`forwardBackward: ${weights.length} weights, the layers take ${used}.`);

  const { loss, correct, dLogits } = softmaxCrossEntropy(y, labels, classes, rowsInUse);
  const gradients: Float64Array[] = [];
  let dY = dLogits;
  for (const done of layers.reverse()) {
    const { dX, dWeights } = done.back(dY);
    gradients.unshift(...dWeights);
    dY = dX;
  }
  const count = correct.reduce((sum, hit) => sum + hit, 0);
  return { loss, correct: count, gradients, probabilities: softmax(y, classes) };
}

/** What each layer puts out, after its activation; arguments as of `forwardBackward`. */
export function layerOutputs(
  network: readonly LayerSpec[],
  inputShape: readonly number[],
  weights: readonly Float64Array[],
  x: Float64Array,
): Pick<Done, "y" | "shape">[] {
  const classes = softmaxUnits(network);
  const rest = [...weights];
  let shape: readonly number[] = [
    x.length / inputShape.reduce((product, length) => product * length, 1),
    ...inputShape,
  ];
  let y = x;
  return network.map((spec, at) => {
    ({ y, shape } = forward(spec, y, shape, rest.splice(0, ownWeightShapes(spec, shape).length)));
    return { y: at === network.length - 1 ? softmax(y, classes) : y, shape };
  });
}

/** weight - learningRate * gradient, for every weight. */
export function sgdStep(
  weights: readonly Float64Array[],
  gradients: readonly Float64Array[],
  learningRate: number,
): Float64Array[] {
  return weights.map((weight, index) => weight.map((value, at) => value - learningRate * gradients[index]![at]!));
}

/** The number of classes of the last layer, which alone must be dense with softmax. */
function softmaxUnits(network: readonly LayerSpec[]): number {
  const isSoftmax = (spec: LayerSpec) => spec.layer === "dense" && spec.activation === "softmax";
  const last = network.at(-1);
  if (last?.layer !== "dense" || network.findIndex(isSoftmax) !== network.length - 1) {
    throw new Error("forwardBackward: the last layer, and no other, must be dense with softmax.");
  }
  return last.units;
}

function ownWeightShapes(spec: LayerSpec, shape: readonly number[]): number[][] {
  if (spec.layer === "depthwiseConv2d") {
    const [channels, multiplier] = [shape[3]!, spec.depthMultiplier ?? 1];
    const kernel = [...pair(spec.kernelSize), channels, multiplier];
    return spec.useBias === false ? [kernel] : [kernel, [channels * multiplier]];
  }
  if (spec.layer !== "conv2d" && spec.layer !== "dense") return [];
  const outputs = spec.layer === "conv2d" ? spec.filters : spec.units;
  const kernel = spec.layer === "conv2d" ? [...pair(spec.kernelSize), shape[3]!, outputs] : [shape[1]!, outputs];
  return spec.useBias === false ? [kernel] : [kernel, [outputs]];
}

function forward(spec: LayerSpec, x: Float64Array, shape: readonly number[], weights: readonly Float64Array[]): Done {
  switch (spec.layer) {
    case "conv2d":
      return forwardConv2d(spec, x, shape, weights);
    case "depthwiseConv2d":
      return forwardDepthwiseConv2d(spec, x, shape, weights);
    case "globalAveragePooling2d": {
      const [, h, w, channels] = image(shape, spec.layer);
      const pooled = forwardPooling2d({ layer: "averagePooling2d", poolSize: [h, w] }, x, shape);
      return { ...pooled, shape: [shape[0]!, channels] };
    }
    case "maxPooling2d":
    case "averagePooling2d":
      return forwardPooling2d(spec, x, shape);
    case "flatten": {
      const features = shape.slice(1).reduce((product, length) => product * length, 1);
      return { y: x, shape: [shape[0]!, features], back: (dY) => ({ dX: dY, dWeights: [] }) };
    }
    case "dense":
      return forwardDense(spec, x, shape, weights);
  }
}

function forwardConv2d(
  spec: LayerSpec & { layer: "conv2d" },
  x: Float64Array,
  shape: readonly number[],
  [k, b]: readonly Float64Array[],
): Done {
  const xShape = image(shape, spec.layer);
  const kShape: Shape4 = [...pair(spec.kernelSize), xShape[3], spec.filters];
  const options = { strides: pair(spec.strides ?? 1), padding: spec.padding ?? "valid" } as const;
  const activation = spec.activation ?? "linear";
  const sums = conv2d(x, xShape, k!, kShape, b, options);
  const y = activate(activation, sums.y);
  const back = (dY: Float64Array) => {
    const dSums = activationGradient(activation, y, dY);
    const { dK, dB } = conv2dFilterGradient(x, xShape, dSums, sums.shape, kShape, options);
    const dX = conv2dInputGradient(dSums, sums.shape, k!, kShape, xShape, options);
    return { dX, dWeights: b ? [dK, dB] : [dK] };
  };
  return { y, shape: sums.shape, back };
}

function forwardDepthwiseConv2d(
  spec: LayerSpec & { layer: "depthwiseConv2d" },
  x: Float64Array,
  shape: readonly number[],
  [k, b]: readonly Float64Array[],
): Done {
  const xShape = image(shape, spec.layer);
  const kShape: Shape4 = [...pair(spec.kernelSize), xShape[3], spec.depthMultiplier ?? 1];
  const options = { strides: pair(spec.strides ?? 1), padding: spec.padding ?? "valid" } as const;
  const activation = spec.activation ?? "linear";
  const sums = depthwiseConv2d(x, xShape, k!, kShape, b, options);
  const y = activate(activation, sums.y);
  const back = (dY: Float64Array) => {
    const dSums = activationGradient(activation, y, dY);
    const { dK, dB } = depthwiseConv2dFilterGradient(x, xShape, dSums, kShape, options);
    const dX = depthwiseConv2dInputGradient(dSums, k!, kShape, xShape, options);
    return { dX, dWeights: b ? [dK, dB] : [dK] };
  };
  return { y, shape: sums.shape, back };
}

function forwardPooling2d(
  spec: LayerSpec & { layer: "maxPooling2d" | "averagePooling2d" },
  x: Float64Array,
  shape: readonly number[],
): Done {
  const xShape = image(shape, spec.layer);
  const poolSize = pair(spec.poolSize ?? 2);
  const options = { poolSize, strides: pair(spec.strides ?? poolSize), padding: spec.padding ?? "valid" } as const;
  if (spec.layer === "averagePooling2d") {
    const average = averagePooling2d(x, xShape, options);
    return { ...average, back: (dY) => ({ dX: averagePooling2dGradient(dY, xShape, options), dWeights: [] }) };
  }
  const max = maxPooling2d(x, xShape, options);
  return { ...max, back: (dY) => ({ dX: maxPooling2dGradient(dY, max.argmax, xShape), dWeights: [] }) };
}

function forwardDense(
  spec: LayerSpec & { layer: "dense" },
  x: Float64Array,
  shape: readonly number[],
  [w, b]: readonly Float64Array[],
): Done {
  if (shape.length !== 2) throw new Error(`dense: takes [rows, features], got [${shape}]; put flatten before it.`);
  // A softmax layer hands on its logits: the loss takes the softmax of them, and its gradient is the one by the logits.
  const activation = spec.activation === "softmax" ? "linear" : (spec.activation ?? "linear");
  const sizes = { rows: shape[0]!, inputs: shape[1]!, units: spec.units };
  const y = activate(activation, dense(x, w!, b, sizes));
  const back = (dY: Float64Array) => {
    const { dX, dW, dB } = denseGradients(x, w!, activationGradient(activation, y, dY), sizes);
    return { dX, dWeights: b ? [dW, dB] : [dW] };
  };
  return { y, shape: [sizes.rows, sizes.units], back };
}

function image(shape: readonly number[], layer: string): Shape4 {
  const [n, h, w, c, ...more] = shape;
  if (c === undefined || more.length > 0) throw new Error(`${layer}: takes [rows, h, w, c], got [${shape}].`);
  return [n!, h!, w!, c];
}

function pair(size: Size): Pair {
  return typeof size === "number" ? [size, size] : [size[0]!, size[1]!];
}
