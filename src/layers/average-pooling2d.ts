import { averagePooling2d as op } from "../ops/pooling/average-pooling2d.ts";
import type { Layer } from "./layer.ts";
import { type Pooling2dOptions, pooling2d } from "./pooling2d.ts";

/**
 * Mean of each window, channel by channel, without the padding: Keras's `AveragePooling2D`.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when it is called or built, for a wrong input
 */
export function averagePooling2d(options: Pooling2dOptions = {}): Layer {
  return pooling2d(op, "AveragePooling2D", options);
}
