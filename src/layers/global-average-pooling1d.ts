import { type GlobalPoolingOptions, globalPooling } from "./global-pooling.ts";
import type { Layer } from "./layer.ts";

/**
 * Mean of each channel over all steps of sequences, [batch, channels]: Keras's `GlobalAveragePooling1D`.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option; `shape`, when it is called or built, for a wrong input
 * @example
 * sequential([conv1d({ filters: 8, kernelSize: 3 }), globalAveragePooling1d(), dense({ units: 10 })]);
 */
export function globalAveragePooling1d(options: GlobalPoolingOptions = {}): Layer {
  return globalPooling("globalAveragePooling1d", "GlobalAveragePooling1D", 1, "mean", options);
}
