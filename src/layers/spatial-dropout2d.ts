import type { Layer } from "./layer.ts";
import { type SpatialDropoutOptions, spatialDropoutLayer } from "./noise.ts";

/**
 * Dropout of whole channels of an image, x [batch, height, width, channels]: Keras's `SpatialDropout2D` (Tompson et al. 2014,
 * `keras/src/layers/regularization/spatial_dropout.py`). In training each channel of each sample is 0 with the probability `rate`. The
 * others are divided by 1 - rate. Draws are made as those of `dropout`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built, for what
 *   are no images
 * @example
 * spatialDropout2d({ rate: 0.25 });
 */
export function spatialDropout2d(options: SpatialDropoutOptions): Layer {
  const axes = ["batch", "height", "width", "channels"];
  return spatialDropoutLayer(options, { where: "spatialDropout2d", type: "SpatialDropout2D", axes });
}
