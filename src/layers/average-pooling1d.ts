import { averagePooling2d as op } from "../ops/pooling/average-pooling2d.ts";
import type { Layer } from "./layer.ts";
import { type Pooling1dOptions, pooling1d } from "./pooling1d.ts";

/**
 * Mean of each window of sequences [batch, steps, channels], channel by channel, without the padding: Keras's `AveragePooling1D`
 * (keras/src/layers/pooling/base_pooling.py).
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when it is called or built, for a wrong input
 * @example
 * const half = averagePooling1d({ poolSize: 2 }); // [batch, 10, 8] to [batch, 5, 8]
 */
export function averagePooling1d(options: Pooling1dOptions = {}): Layer {
  return pooling1d(op, "averagePooling1d", "AveragePooling1D", options);
}
