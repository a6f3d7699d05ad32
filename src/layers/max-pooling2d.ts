import { maxPooling2d as op } from "../ops/pooling/max-pooling2d.ts";
import type { Layer } from "./layer.ts";
import { type Pooling2dOptions, pooling2d } from "./pooling2d.ts";

/**
 * Largest number of each window, channel by channel: Keras's `MaxPooling2D`. Among equal numbers the first in row-major
 * order takes the gradient, as in TensorFlow.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when it is called or built, for a wrong input
 */
export function maxPooling2d(options: Pooling2dOptions = {}): Layer {
  return pooling2d(op, "MaxPooling2D", options);
}
