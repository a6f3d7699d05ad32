import { knownKeys } from "../base/errors.ts";
import { pad } from "../ops/arrange/pad.ts";
import { defineLayer } from "./define-layer.ts";
import { type EndsOption, endsOption } from "./edges.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";
import { assertSequenceInput } from "./sequence.ts";

export interface ZeroPadding1dOptions extends LayerOptions {
  /** Steps: one number for both ends, or [before, after]. Default 1. */
  readonly padding?: EndsOption;
}

/**
 * Steps of zeros before and after sequences [batch, steps, channels]: Keras's `ZeroPadding1D`
 * (keras/src/layers/reshaping/zero_padding1d.py).
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape`, when it is called or built, for no sequences
 * @example
 * zeroPadding1d({ padding: [2, 0] }); // [batch, 10, 8] to [batch, 12, 8]
 */
export function zeroPadding1d(options: ZeroPadding1dOptions = {}): Layer {
  const where = "zeroPadding1d";
  knownKeys(options, ["padding", ...LAYER_OPTIONS], where);
  const padding = endsOption(options.padding ?? 1, `${where}: padding`);
  const [first, last] = padding;
  const type = "ZeroPadding1D";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { padding },
    variables: (built) => {
      assertSequenceInput(type, built);
      return [];
    },
    call: ({ input: x, add }) => add(pad, { x }, { before: [0, first, 0], after: [0, last, 0] }).y,
  });
}
