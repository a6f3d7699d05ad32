import { flag, listOf, oneOf, optionalText, positiveInteger, tagOf, wrong } from "../base/errors.ts";
import { isShape, MAX_DIMENSIONS, type Shape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { ACTIVATIONS, type Activation, activation } from "../ops/activation/activation.ts";
import { softmax } from "../ops/softmax/softmax.ts";
import { assertStridesOrDilation, type Padding, type Pair } from "../ops/window.ts";
import type { LayerCall } from "./layer.ts";

/** Activation as a value, such as `gelu()`, or an app's own. */
export interface ActivationFunction {
  readonly name: string;
  /** Options that make it again, as plain JSON. `toConfig` writes them down. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Adds the nodes of the activation of x, and returns what has its shape. */
  apply(call: ActivationCall, x: TensorId): TensorId;
}

/** Part of a layer's call that an activation gets. */
export type ActivationCall = Pick<LayerCall, "add" | "shapeOf">;

/**
 * Activation: a name, or a value such as `gelu()`. `softmax` runs over the last axis, the others on each number. Constants are those of
 * Keras 3: `leakyRelu` has the slope 0.2, `elu` the scale 1.
 */
export type LayerActivation = Activation | "softmax" | ActivationFunction;

/** Options of every layer. */
export interface LayerOptions {
  /** Shape of one sample, without the batch axis; for a layer that is the first of `sequential`. */
  readonly inputShape?: Shape;
  /** Name of the layer. Default: as in Keras, `conv2d`, `conv2d_1`, and so on. */
  readonly name?: string;
  /** Whether the layer's parameters are learned. Default true. */
  readonly trainable?: boolean;
}

export const LAYER_OPTIONS = ["inputShape", "name", "trainable"] as const satisfies readonly (keyof LayerOptions)[];

/** @throws FeaturemapError `value` for an option that is wrong; `where` names the layer */
export function layerOptions({ name, inputShape, trainable }: LayerOptions, where: string) {
  return {
    name: optionalText(name, `${where}: name`),
    inputShape: inputShapeOption(inputShape, `${where}: inputShape`),
    trainable: flag(trainable ?? true, `${where}: trainable`),
  };
}

/** Number for both axes, or [height, width]. */
export type PairOption = number | readonly [number, number];

export function pair(value: unknown, where: string): Pair {
  const both = Array.isArray(value) ? value : [value, value];
  if (both.length !== 2) throw wrong(where, "be a whole number or a pair of them", value);
  // Shaders count in 32 bits.
  return [positiveInteger(both[0], where, 31), positiveInteger(both[1], where, 31)];
}

/** Copies a list of sizes or axes. @throws FeaturemapError `value` where it is none, or longer than a shape may be */
export function shortList<T>(value: readonly T[], where: string): T[] {
  if (listOf(value, where).length <= MAX_DIMENSIONS) return Array.from(value);
  throw wrong(where, `have at most ${MAX_DIMENSIONS} entries`, value);
}

/**
 * Checks strides and dilationRate, of which one must be 1, as in Keras (keras/src/layers/convolutional/base_conv.py).
 *
 * @returns both, and the part of an op's attributes that they are: a dilation of 1 is left out
 */
export function stepOptions(
  {
    strides = 1,
    dilationRate = 1,
  }: { readonly strides?: PairOption | undefined; readonly dilationRate?: PairOption | undefined },
  where: string,
) {
  const steps = {
    strides: pair(strides, `${where}: strides`),
    dilationRate: pair(dilationRate, `${where}: dilationRate`),
  };
  assertStridesOrDilation(steps.strides, steps.dilationRate, where);
  return { ...steps, attributes: { strides: steps.strides, ...dilationOf(steps.dilationRate) } };
}

function dilationOf(dilation: Pair): { readonly dilation?: Pair } {
  return Math.max(...dilation) > 1 ? { dilation } : {};
}

export function paddingOption(value: unknown, where: string): Padding {
  return oneOf(value, ["valid", "same"], where);
}

export function activationOption(value: unknown, where: string): LayerActivation {
  if (tagOf(value) === "Object" && typeof (value as ActivationFunction).apply === "function")
    return value as ActivationFunction;
  return oneOf(value, [...ACTIVATIONS, "softmax"], where);
}

export function inputShapeOption(value: unknown, where: string): Shape | undefined {
  if (value === undefined) return undefined;
  if (isShape(value) && value.length < MAX_DIMENSIONS) return [...value];
  const sizes = `1 to ${MAX_DIMENSIONS - 1} whole numbers of at least 1`;
  throw wrong(where, `be the shape of one sample, ${sizes}, e.g. [28, 28, 1]`, value);
}

/** Adds a layer's activation. `linear` adds nothing. */
export function activated(call: LayerCall, x: TensorId, kind: LayerActivation): TensorId {
  if (typeof kind === "object") return kind.apply(call, x);
  if (kind === "linear") return x;
  return kind === "softmax" ? call.add(softmax, { x }).y : call.add(activation, { x }, { kind }).y;
}
