import { type GlobalPoolingOptions, globalPooling } from "./global-pooling.ts";
import type { Layer } from "./layer.ts";

/**
 * Mean of each channel over all positions of images, [batch, channels]: Keras's `GlobalAveragePooling2D`.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when it is called or built, for a wrong input
 * @example
 * sequential([conv2d({ filters: 8, kernelSize: 3 }), globalAveragePooling2d(), dense({ units: 10 })]);
 */
export function globalAveragePooling2d(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling("globalAveragePooling2d", "GlobalAveragePooling2D", 2, "mean", options);
}
