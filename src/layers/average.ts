import type { Layer } from "./layer.ts";
import { mergeLayer } from "./merge.ts";
import type { LayerOptions } from "./options.ts";

/**
 * Mean of the inputs, element by element: Keras's `Average`.
 *
 * @throws FeaturemapError `value` for an unknown option, or when it is called on fewer than two inputs; `shape` where shapes do not fit
 * @example
 * const y = average()([a, b]);
 */
export function average(options: LayerOptions = {}): Layer {
  return mergeLayer("average", "Average", options, (a, b) => ["add", a, b], {
    last: (sum, count) => ["divide", sum, count],
  });
}
