import type { Layer } from "./layer.ts";
import { mergeLayer } from "./merge.ts";
import type { LayerOptions } from "./options.ts";

/**
 * Product of the inputs, element by element: Keras's `Multiply`.
 *
 * @throws FeaturemapError `value` for an unknown option, or when it is called on fewer than two inputs; `shape` where shapes do not fit
 * @example
 * const y = multiply()([a, b]);
 */
export function multiply(options: LayerOptions = {}): Layer {
  return mergeLayer("multiply", "Multiply", options, (a, b) => ["multiply", a, b]);
}
