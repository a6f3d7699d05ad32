import { averagePooling2dOps } from "../ops/pooling/average-pooling2d.ts";
import type { Layer } from "./layer.ts";
import { type Pooling2dOptions, pooling2d } from "./pooling2d.ts";

/**
 * The mean of each window, channel by channel, padding not counted: Keras's `AveragePooling2D`.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when the model is built, for a wrong input
 */
export function averagePooling2d(options: Pooling2dOptions = {}): Layer {
  return pooling2d("averagePooling2d", "AveragePooling2D", averagePooling2dOps, options);
}
