import type { Layer } from "./layer.ts";
import { mergeLayer } from "./merge.ts";
import type { LayerOptions } from "./options.ts";

/**
 * Difference of two inputs, the first less the second: Keras's `Subtract`.
 *
 * @throws FeaturemapError `value` for an unknown option, or when it is called on other than two inputs; `shape` where shapes do not fit
 * @example
 * const y = subtract()([a, b]);
 */
export function subtract(options: LayerOptions = {}): Layer {
  return mergeLayer("subtract", "Subtract", options, (a, b) => ["subtract", a, b], { inputs: 2 });
}
