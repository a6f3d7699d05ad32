import { cut, FeaturemapError, positiveInteger, wrong } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { type LayerCall, type LayerInput, subject } from "./layer.ts";

/** Checks a number of steps. It may be the one element of a list, as in Keras. */
export function length1d(value: unknown, where: string): number {
  const one: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (Array.isArray(one)) throw wrong(where, "be a whole number", value);
  // Shaders count in 32 bits.
  return positiveInteger(one, where, 31);
}

/** @throws FeaturemapError `shape` unless a layer's input is sequences, [batch, steps, channels] */
export function assertSequenceInput(type: string, { name, input, from }: LayerInput): void {
  if (input.length === 2) return;
  const remedy =
    input.length === 1 ? ` Sequences of single numbers have one channel: ${batchShape([...input, 1])}.` : "";
  const got = `${batchShape(input)} from "${cut(from)}"`;
  throw new FeaturemapError(
    "shape",
    `${subject(type, name)} wants sequences [batch, steps, channels], got ${got}.${remedy}`,
  );
}

/** Views sequences as images of one row, [batch, 1, steps, channels]. */
export function asImage({ add, shapeOf }: LayerCall, x: TensorId): TensorId {
  const [batch, ...sample] = shapeOf(x);
  return add(reshape, { x }, { shape: [batch!, 1, ...sample] }).y;
}

/** Views images of one row as sequences. */
export function asSequence({ add, shapeOf }: LayerCall, x: TensorId): TensorId {
  const [batch, , ...sample] = shapeOf(x);
  return add(reshape, { x }, { shape: [batch!, ...sample] }).y;
}
