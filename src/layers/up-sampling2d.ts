import { knownKeys } from "../base/errors.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import type { Interpolation } from "../ops/resample/resample.ts";
import { defineLayer } from "./define-layer.ts";
import { assertImageInput, type Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions, type PairOption, pair } from "./options.ts";
import { interpolationOption, resized } from "./resizing.ts";

export interface UpSampling2dOptions extends LayerOptions {
  /** How often each row and each column is repeated. Default 2. */
  readonly size?: PairOption;
  /** What lies between: the nearest pixel again, or pixels by their distance. Default `nearest`. */
  readonly interpolation?: Interpolation;
}

/**
 * Images with each row and column repeated or, with `bilinear`, rows and columns between them: Keras's `UpSampling2D`
 * (keras/src/layers/reshaping/up_sampling2d.py).
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape`, when it is called or built, for no images
 * @example
 * upSampling2d({ size: 2, interpolation: "bilinear" });
 */
export function upSampling2d(options: UpSampling2dOptions = {}): Layer {
  const where = "upSampling2d";
  knownKeys(options, ["size", "interpolation", ...LAYER_OPTIONS], where);
  const size = pair(options.size ?? 2, `${where}: size`);
  const interpolation = interpolationOption(options.interpolation ?? "nearest", `${where}: interpolation`);
  return defineLayer({
    type: "UpSampling2D",
    ...layerOptions(options, where),
    config: { size, interpolation },
    variables: (built) => {
      assertImageInput("UpSampling2D", built);
      return [];
    },
    call: (call) => {
      const { input, add, shapeOf } = call;
      const [batch, height, width, channels] = shapeOf(input) as readonly [number, number, number, number];
      const larger = [height * size[0], width * size[1]] as const;
      if (interpolation !== "nearest") return resized(call, input, larger, interpolation);
      // Broadcast along axes of their own. The gradient is then the sum along these.
      const x = add(reshape, { x: input }, { shape: [batch, height, 1, width, 1, channels] }).y;
      const repeated = evaluated(add, "x", { x }, { shape: [batch, height, size[0], width, size[1], channels] });
      return add(reshape, { x: repeated }, { shape: [batch, ...larger, channels] }).y;
    },
  });
}
