import type { Layer } from "./layer.ts";
import { mergeLayer } from "./merge.ts";
import type { LayerOptions } from "./options.ts";

/**
 * Sum of the inputs, element by element: Keras's `Add`. A residual connection is one. An activation that follows costs no kernel.
 *
 * @throws FeaturemapError `value` for an unknown option, or when it is called on fewer than two inputs; `shape` where shapes do not fit
 * @example
 * const y = add()([a, b]);
 */
export function add(options: LayerOptions = {}): Layer {
  return mergeLayer("add", "Add", options, (a, b) => ["add", a, b]);
}
