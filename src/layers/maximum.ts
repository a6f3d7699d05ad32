import type { Layer } from "./layer.ts";
import { mergeLayer } from "./merge.ts";
import type { LayerOptions } from "./options.ts";

/**
 * Largest of the inputs, element by element: Keras's `Maximum`. Equal numbers share the gradient.
 *
 * @throws FeaturemapError `value` for an unknown option, or when it is called on fewer than two inputs; `shape` where shapes do not fit
 * @example
 * const y = maximum()([a, b]);
 */
export function maximum(options: LayerOptions = {}): Layer {
  return mergeLayer("maximum", "Maximum", options, (a, b) => ["maximum", a, b]);
}
