import { type GlobalPoolingOptions, globalPooling } from "./global-pooling.ts";
import type { Layer } from "./layer.ts";

/**
 * Largest number of each channel over all steps of sequences, [batch, channels]: Keras's `GlobalMaxPooling1D`. Equal ones share the gradient.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when it is called or built, for a wrong input
 * @example
 * sequential([conv1d({ filters: 8, kernelSize: 3 }), globalMaxPooling1d(), dense({ units: 10 })]);
 */
export function globalMaxPooling1d(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling("globalMaxPooling1d", "GlobalMaxPooling1D", 1, "max", options);
}
