import { type GlobalPoolingOptions, globalPooling } from "./global-pooling.ts";
import type { Layer } from "./layer.ts";

/**
 * Largest number of each channel over all positions of images, [batch, channels]: Keras's `GlobalMaxPooling2D`. Equal ones share the gradient.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when it is called or built, for a wrong input
 * @example
 * sequential([conv2d({ filters: 8, kernelSize: 3 }), globalMaxPooling2d(), dense({ units: 10 })]);
 */
export function globalMaxPooling2d(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling("globalMaxPooling2d", "GlobalMaxPooling2D", 2, "max", options);
}
