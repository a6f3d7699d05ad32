import type { Layer } from "./layer.ts";
import { mergeLayer } from "./merge.ts";
import type { LayerOptions } from "./options.ts";

/**
 * Smallest of the inputs, element by element: Keras's `Minimum`. Equal numbers share the gradient.
 *
 * @throws FeaturemapError `value` for an unknown option, or when it is called on fewer than two inputs; `shape` where shapes do not fit
 * @example
 * const y = minimum()([a, b]);
 */
export function minimum(options: LayerOptions = {}): Layer {
  return mergeLayer("minimum", "Minimum", options, (a, b) => ["minimum", a, b]);
}
