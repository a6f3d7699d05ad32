import { knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import { concatenated } from "../ops/arrange/concatenate.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, subject } from "./layer.ts";
import { assertInputs } from "./merge.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface ConcatenateOptions extends LayerOptions {
  /** Axis, counted with the batch's, which is 0, or from the end. Default -1: the channels of images. */
  readonly axis?: number;
}

/**
 * Inputs one after the other along an axis: Keras's `Concatenate`. Other axes are alike.
 *
 * @throws FeaturemapError `value` for an unknown or wrong option, or when it is called on fewer than two inputs; `shape` where shapes
 *   do not fit
 * @example
 * const y = concatenate()([upper, lower]);
 */
export function concatenate(options: ConcatenateOptions = {}): Layer {
  const where = "concatenate";
  knownKeys(options, ["axis", ...LAYER_OPTIONS], where);
  const axis = wholeNumber(options.axis ?? -1, `${where}: axis`);
  const type = "Concatenate";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { axis },
    variables: (built) => {
      assertInputs(type, built);
      const rank = built.input.length + 1;
      const at = axis < 0 ? rank + axis : axis;
      if (at < 1 || at >= rank)
        throw wrong(`${subject(type, built.name)}: axis`, `name one of ${rank} axes, not the batch's`, axis);
      return [];
    },
    call: ({ inputs, add, shapeOf }) => concatenated(add, inputs, axis < 0 ? shapeOf(inputs[0]!).length + axis : axis),
  });
}
