import { oneOf, positiveInteger, wrong } from "../base/errors.ts";
import { isShape, MOST_DIMENSIONS, type Shape } from "../base/shape.ts";
import type { TensorId } from "../graph/graph.ts";
import { ACTIVATIONS, type Activation } from "../ops/activation/activation.ts";
import type { Padding, Pair } from "../ops/window.ts";
import type { LayerCall } from "./layer.ts";

/**
 * `softmax` runs over the last axis, the others on each number, with Keras 3's constants (`leakyRelu`'s slope is 0.2, `elu`'s
 * scale 1).
 */
export type LayerActivation = Activation | "softmax";

/** One number for both axes, or [height, width]. */
export type PairOption = number | readonly [number, number];

export function pair(value: unknown, where: string): Pair {
  const both = Array.isArray(value) ? value : [value, value];
  if (both.length !== 2) throw wrong(where, "be a whole number or a pair of them", value);
  // Shaders count in 32 bits.
  return [positiveInteger(both[0], where, 31), positiveInteger(both[1], where, 31)];
}

export function paddingOption(value: unknown, where: string): Padding {
  return oneOf(value, ["valid", "same"], where);
}

export function activationOption(value: unknown, where: string): LayerActivation {
  return oneOf(value, [...ACTIVATIONS, "softmax"], where);
}

export function inputShapeOption(value: unknown, where: string): Shape | undefined {
  if (value === undefined) return undefined;
  if (isShape(value) && value.length < MOST_DIMENSIONS) return [...value];
  const sizes = `1 to ${MOST_DIMENSIONS - 1} whole numbers of at least 1`;
  throw wrong(where, `be the shape of one sample, ${sizes}, e.g. [28, 28, 1]`, value);
}

/** Adds a layer's activation; linear adds nothing. */
export function activated(call: LayerCall, x: TensorId, kind: LayerActivation): TensorId {
  if (kind === "linear") return x;
  return kind === "softmax" ? call.add("softmax", [x])[0]! : call.add("activation", [x], { kind })[0]!;
}
