import { FeaturemapError, knownKeys } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { pad } from "../ops/arrange/pad.ts";
import { defineLayer } from "./define-layer.ts";
import { type EndsOption, endsOption } from "./edges.ts";
import { type Layer, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";
import { assertSequenceInput } from "./sequence.ts";

export interface Cropping1dOptions extends LayerOptions {
  /** Steps: one number for both ends, or [before, after]. Default 1. */
  readonly cropping?: EndsOption;
}

/**
 * Sequences [batch, steps, channels] without some steps at their ends: Keras's `Cropping1D`
 * (keras/src/layers/reshaping/cropping1d.py).
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape`, when it is called or built, for no sequences, or where
 *   nothing is left
 * @example
 * cropping1d({ cropping: [2, 0] }); // [batch, 10, 8] to [batch, 8, 8]
 */
export function cropping1d(options: Cropping1dOptions = {}): Layer {
  const where = "cropping1d";
  knownKeys(options, ["cropping", ...LAYER_OPTIONS], where);
  const cropping = endsOption(options.cropping ?? 1, `${where}: cropping`);
  const [first, last] = cropping;
  const type = "Cropping1D";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { cropping },
    variables: (built) => {
      assertSequenceInput(type, built);
      if (first + last < built.input[0]!) return [];
      const cut = `${first + last} steps off ${batchShape(built.input)}`;
      throw new FeaturemapError("shape", `${subject(type, built.name)} cuts ${cut}: nothing is left.`);
    },
    call: ({ input: x, add }) => add(pad, { x }, { before: [0, -first, 0], after: [0, -last, 0] }).y,
  });
}
