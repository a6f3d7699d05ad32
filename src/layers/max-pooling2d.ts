import { maxPooling2dOps } from "../ops/pooling/max-pooling2d.ts";
import type { Layer } from "./layer.ts";
import { type Pooling2dOptions, pooling2d } from "./pooling2d.ts";

/**
 * The largest number of each window, channel by channel: Keras's `MaxPooling2D`. Of equal ones the first in row-major
 * order takes the gradient, as in TensorFlow.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when the model is built, for a wrong input
 */
export function maxPooling2d(options: Pooling2dOptions = {}): Layer {
  return pooling2d("maxPooling2d", "MaxPooling2D", maxPooling2dOps, options);
}
