import { maxPooling2d as op } from "../ops/pooling/max-pooling2d.ts";
import type { Layer } from "./layer.ts";
import { type Pooling1dOptions, pooling1d } from "./pooling1d.ts";

/**
 * Largest number of each window of sequences [batch, steps, channels], channel by channel: Keras's `MaxPooling1D`
 * (keras/src/layers/pooling/base_pooling.py). Among equal numbers the first takes the gradient.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when it is called or built, for a wrong input
 * @example
 * const half = maxPooling1d({ poolSize: 2 }); // [batch, 10, 8] to [batch, 5, 8]
 */
export function maxPooling1d(options: Pooling1dOptions = {}): Layer {
  return pooling1d(op, "maxPooling1d", "MaxPooling1D", options);
}
