import { knownKeys } from "../base/errors.ts";
import {
  augmentationLayer,
  type FactorOption,
  factorOption,
  WARP_OPTIONS,
  type WarpOptions,
  warped,
  warpOptions,
} from "./augmentation.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS } from "./options.ts";

export interface RandomTranslationOptions extends WarpOptions {
  /** How far images move down, as a share of their height, from -1 to 1. Negative is up. */
  readonly heightFactor: FactorOption;
  /** How far they move to the right, as a share of their width, from -1 to 1. */
  readonly widthFactor: FactorOption;
}

/**
 * Moves each image [batch, height, width, channels] at random in training: Keras's `RandomTranslation`
 * (`keras/src/layers/preprocessing/image_preprocessing/random_translation.py`). Otherwise it passes them on. Draws are made as those
 * of `dropout`. No gradient passes it, so it stands before what is trained.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built, for what are
 *   no images
 * @example
 * randomTranslation({ heightFactor: 0.1, widthFactor: [-0.2, 0.2], fillMode: "constant" });
 */
export function randomTranslation(options: RandomTranslationOptions): Layer {
  const where = "randomTranslation";
  knownKeys(options, ["heightFactor", "widthFactor", ...WARP_OPTIONS, "seed", ...LAYER_OPTIONS], where);
  const down = factorOption(options.heightFactor, `${where}: heightFactor`, -1, 1);
  const right = factorOption(options.widthFactor, `${where}: widthFactor`, -1, 1);
  const edges = warpOptions(options, where);
  return augmentationLayer(options, {
    where,
    type: "RandomTranslation",
    config: { heightFactor: down, widthFactor: right, ...edges },
    draws: 2,
    change: (call, draws) => {
      const [, height, width] = call.shapeOf(call.input) as readonly [number, number, number];
      const shiftY = { low: down[0] * height, high: down[1] * height, column: 0 };
      const shiftX = { low: right[0] * width, high: right[1] * width, column: 1 };
      return warped(call, draws, { shiftX, shiftY }, edges);
    },
  });
}
