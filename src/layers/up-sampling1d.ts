import { knownKeys, positiveInteger } from "../base/errors.ts";
import { defineLayer } from "./define-layer.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";
import { repeated } from "./repeat-vector.ts";
import { assertSequenceInput } from "./sequence.ts";

export interface UpSampling1dOptions extends LayerOptions {
  /** How often each step is repeated. Default 2. */
  readonly size?: number;
}

/**
 * Sequences [batch, steps, channels] with each step repeated: Keras's `UpSampling1D` (keras/src/layers/reshaping/up_sampling1d.py).
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape`, when it is called or built, for no sequences
 * @example
 * upSampling1d({ size: 3 }); // [batch, 5, 8] to [batch, 15, 8]
 */
export function upSampling1d(options: UpSampling1dOptions = {}): Layer {
  const where = "upSampling1d";
  knownKeys(options, ["size", ...LAYER_OPTIONS], where);
  const size = positiveInteger(options.size ?? 2, `${where}: size`, 31);
  const type = "UpSampling1D";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { size },
    variables: (built) => {
      assertSequenceInput(type, built);
      return [];
    },
    call: (call) => repeated(call, call.input, size),
  });
}
