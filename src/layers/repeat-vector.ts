import { FeaturemapError, knownKeys, positiveInteger } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, type LayerCall, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface RepeatVectorOptions extends LayerOptions {
  /** Number of repetitions. */
  readonly n: number;
}

/**
 * Rows of numbers, [batch, features], repeated as the steps of a sequence, [batch, n, features]: Keras's `RepeatVector`
 * (keras/src/layers/reshaping/repeat_vector.py).
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or wrong; `shape`, when it is called or built, for an input that
 *   is not flat
 * @example
 * repeatVector({ n: 5 }); // [batch, 8] to [batch, 5, 8]
 */
export function repeatVector(options: RepeatVectorOptions): Layer {
  const where = "repeatVector";
  knownKeys(options, ["n", ...LAYER_OPTIONS], where);
  const n = positiveInteger(options.n, `${where}: n`, 31);
  const type = "RepeatVector";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { n },
    variables: ({ name, input }) => {
      if (input.length === 1) return [];
      throw new FeaturemapError(
        "shape",
        `${subject(type, name)} wants rows [batch, features], got ${batchShape(input)}.`,
      );
    },
    call: (call) => {
      const [batch, features] = call.shapeOf(call.input) as readonly [number, number];
      const { y: step } = call.add(reshape, { x: call.input }, { shape: [batch, 1, features] });
      return repeated(call, step, n);
    },
  });
}

/**
 * Repeats each step of sequences [batch, steps, channels]. It is a broadcast along an axis of its own, so that the gradient is the sum
 * along it.
 */
export function repeated({ add, shapeOf }: LayerCall, x: TensorId, times: number): TensorId {
  const [batch, steps, channels] = shapeOf(x) as readonly [number, number, number];
  const apart = add(reshape, { x }, { shape: [batch, steps, 1, channels] }).y;
  const wide = evaluated(add, "x", { x: apart }, { shape: [batch, steps, times, channels] });
  return add(reshape, { x: wide }, { shape: [batch, steps * times, channels] }).y;
}
