import type { Layer } from "./layer.ts";
import { type SpatialDropoutOptions, spatialDropoutLayer } from "./noise.ts";

/**
 * Dropout of whole channels of a sequence, x [batch, steps, channels]: Keras's `SpatialDropout1D`
 * (`keras/src/layers/regularization/spatial_dropout.py`). It is `spatialDropout2d` for one axis.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built, for what
 *   are no sequences
 * @example
 * spatialDropout1d({ rate: 0.25 });
 */
export function spatialDropout1d(options: SpatialDropoutOptions): Layer {
  const axes = ["batch", "steps", "channels"];
  return spatialDropoutLayer(options, { where: "spatialDropout1d", type: "SpatialDropout1D", axes });
}
