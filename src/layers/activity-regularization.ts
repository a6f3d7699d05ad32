import { knownKeys } from "../base/errors.ts";
import { defineLayer } from "./define-layer.ts";
import type { Layer, LayerSpec } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";
import { l1L2 } from "./regularizers.ts";

export interface ActivityRegularizationOptions extends LayerOptions {
  /** Factor of the sum of sizes, at least 0. Default 0. */
  readonly l1?: number;
  /** Factor of the sum of squares, at least 0. Default 0. */
  readonly l2?: number;
}

/**
 * Layer that gives its input on, and adds a penalty of it to the loss: the mean over the samples of l1 sum |x| + l2 sum x^2. Keras's
 * `ActivityRegularization` (`keras/src/layers/regularization/activity_regularization.py`).
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 * @example
 * sequential([dense({ units: 16, activation: "relu", inputShape: [4] }), activityRegularization({ l1: 0.001 })]);
 */
export function activityRegularization(options: ActivityRegularizationOptions = {}): Layer {
  const where = "activityRegularization";
  knownKeys(options, ["l1", "l2", ...LAYER_OPTIONS], where);
  const { l1 = 0, l2 = 0 } = options;
  const regularizer = l1L2({ l1, l2 });
  const layer: LayerSpec = {
    type: "ActivityRegularization",
    ...layerOptions(options, where),
    config: { l1, l2 },
    call: ({ input }) => input,
  };
  return defineLayer(regularizer.onto(layer, "activityRegularizer"));
}
