// A layer in words and figures, for its box and its panel.

import { IMAGE_PIXELS, type LayerKind, type LayerSpec, type NetworkSpec } from "../../network.ts";
import { LAYER_KINDS } from "../../network-check.ts";
import { count } from "../../ui/numbers.ts";

const KINDS: Record<LayerKind, string> = {
  conv2d: "Convolution",
  maxPooling2d: "Max pooling",
  averagePooling2d: "Average pooling",
  dropout: "Dropout",
  flatten: "Flatten",
  dense: "Dense",
};

export const LAYER_CHOICES = LAYER_KINDS.map((kind) => ({ kind, label: KINDS[kind] }));

export function titleOf({ kind }: LayerSpec, last: boolean): string {
  return last ? "Output" : KINDS[kind];
}

/** `5 × 5, relu`: what the box says of its options. */
export function optionsOf(layer: LayerSpec): string {
  switch (layer.kind) {
    case "conv2d": {
      const { kernelSize: k, strides, padding, activation } = layer;
      return [`${k} × ${k}`, strides > 1 && `stride ${strides}`, padding === "same" && "padded", activation]
        .filter((word) => word)
        .join(", ");
    }
    case "maxPooling2d":
    case "averagePooling2d": {
      const { poolSize: p, strides } = layer;
      return `${p} × ${p}${strides === p ? "" : `, stride ${strides}`}`;
    }
    case "dropout":
      return `drops ${Number((100 * layer.rate).toFixed(1))}%`;
    case "flatten":
      return "in one row";
    case "dense":
      return layer.activation;
  }
}

/** `24 × 24 × 32` */
export const shapeText = (shape: readonly number[]): string => shape.map(count).join(" × ");

/** What the layer does, in a sentence or two. */
export function purposeOf(layer: LayerSpec, last: boolean): string {
  if (last) {
    return "One unit for each of the ten digits. Softmax turns their numbers into probabilities that sum to 1. Both are fixed: training compares these ten probabilities with the right digit.";
  }
  switch (layer.kind) {
    case "conv2d":
      return "Each filter slides its own small window of weights over the image. What it finds, and where, is one feature map.";
    case "maxPooling2d":
      return "Keeps the largest number of each window and drops the rest, so that the next layer sees more of the image at once.";
    case "averagePooling2d":
      return "Keeps the mean of each window, so that the next layer sees more of the image at once.";
    case "dropout":
      return "At each step of training, sets some of the numbers to 0, others each time, so that the network learns not to rely on any one of them. Outside of training, it lets all pass.";
    case "flatten":
      return "Puts all numbers in one row, as dense layers want them.";
    case "dense":
      return "Every unit weighs every number that comes in, and adds them up.";
  }
}

/** `(5 × 5 × 1 + 1) × 32`: where the number of parameters comes from. */
export function parameterFormula(layer: LayerSpec, input: readonly number[]): string | undefined {
  if (layer.kind === "conv2d") {
    const { kernelSize: k, filters } = layer;
    return `(${k} × ${k} × ${count(input[2] ?? 0)} + 1) × ${count(filters)}`;
  }
  return layer.kind === "dense" ? `(${count(input[0] ?? 0)} + 1) × ${count(layer.units)}` : undefined;
}

export function parametersOf(layers: readonly { readonly parameters: number }[]): number {
  return layers.reduce((sum, { parameters }) => sum + parameters, 0);
}

const FLOAT_BYTES = 4;
/** A value and its gradient. */
const COPIES = 2;

/** Bytes that a training step holds, beside the images: parameters and what the optimizer keeps of each, outputs and gradients. */
export function roughMemory(
  { layers: specs, optimizer, batchSize }: NetworkSpec,
  layers: readonly { readonly outputShape: readonly number[]; readonly parameters: number }[],
): number {
  const outputs = layers
    .filter((_, i) => specs[i]?.kind !== "flatten")
    .reduce((sum, { outputShape }) => sum + outputShape.reduce((a, b) => a * b, 1), IMAGE_PIXELS);
  const momentum = optimizer.name === "sgd" ? optimizer.momentum : undefined;
  const kept = { sgd: momentum ? 1 : 0, adam: 2, rmsprop: 1, adagrad: 1 }[optimizer.name];
  return FLOAT_BYTES * (parametersOf(layers) * (1 + kept) + outputs * batchSize * COPIES);
}
