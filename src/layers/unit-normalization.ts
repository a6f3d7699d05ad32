import { knownKeys } from "../base/errors.ts";
import { axesOption, sampleAxes, sortedAxes } from "./axes.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";
import { unitLength } from "./unit-length.ts";

export interface UnitNormalizationOptions extends LayerOptions {
  /** Axis or axes along which a sample has length 1, counted with the batch's, which is 0, or from the end. Default -1. */
  readonly axis?: number | readonly number[];
}

/**
 * Unit normalization, Keras's `UnitNormalization` (`keras/src/layers/normalization/unit_normalization.py`): x over its Euclidean length along
 * the axes. Numbers that are all 0 stay 0.
 *
 * @throws FeaturemapError `value` for an option that is unknown, or an axis that the input does not have
 * @example
 * unitNormalization();
 */
export function unitNormalization(options: UnitNormalizationOptions = {}): Layer {
  const where = "unitNormalization";
  knownKeys(options, ["axis", ...LAYER_OPTIONS], where);
  const axis = axesOption(options.axis ?? -1, `${where}: axis`);
  const type = "UnitNormalization";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { axis },
    variables: ({ name, input }) => {
      sampleAxes(axis, input.length + 1, `${subject(type, name)}: axis`);
      return [];
    },
    call: ({ input: x, add, shapeOf }) => unitLength(add, x, sortedAxes(axis, shapeOf(x).length), 1e-12),
  });
}
