import { knownKeys } from "../base/errors.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { defineLayer } from "./define-layer.ts";
import { assertImageInput, type Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions, type PairOption, pair } from "./options.ts";

export interface UpSampling2dOptions extends LayerOptions {
  /** How often each row and each column is repeated. Default 2. */
  readonly size?: PairOption;
}

/**
 * Images with each row and column repeated: Keras's `UpSampling2D` with `nearest`, its default interpolation.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape`, when it is called or built, for no images
 * @example
 * upSampling2d({ size: 2 });
 */
export function upSampling2d(options: UpSampling2dOptions = {}): Layer {
  const where = "upSampling2d";
  knownKeys(options, ["size", ...LAYER_OPTIONS], where);
  const size = pair(options.size ?? 2, `${where}: size`);
  return defineLayer({
    type: "UpSampling2D",
    ...layerOptions(options, where),
    config: { size },
    variables: (built) => {
      assertImageInput("UpSampling2D", built);
      return [];
    },
    // Broadcast along axes of their own. The gradient is then the sum along these.
    call: ({ input, add, shapeOf }) => {
      const [batch, height, width, channels] = shapeOf(input) as readonly [number, number, number, number];
      const x = add(reshape, { x: input }, { shape: [batch, height, 1, width, 1, channels] }).y;
      const repeated = evaluated(add, "x", { x }, { shape: [batch, height, size[0], width, size[1], channels] });
      return add(reshape, { x: repeated }, { shape: [batch, height * size[0], width * size[1], channels] }).y;
    },
  });
}
