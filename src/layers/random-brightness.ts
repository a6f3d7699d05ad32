import { knownKeys } from "../base/errors.ts";
import {
  type AugmentationOptions,
  augmentationLayer,
  type FactorOption,
  factorOption,
  recoloured,
  valueRangeOption,
} from "./augmentation.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS } from "./options.ts";

export interface RandomBrightnessOptions extends AugmentationOptions {
  /** How much brighter images get, as a share of the value range, from -1 to 1. Negative is darker. */
  readonly factor: FactorOption;
  /** Lowest and highest value of images, to which the result is held. Default [0, 255]. */
  readonly valueRange?: readonly [number, number];
}

/**
 * Makes each image [batch, height, width, channels] brighter or darker at random in training: Keras's `RandomBrightness`
 * (`keras/src/layers/preprocessing/image_preprocessing/random_brightness.py`). Otherwise it passes them on. Draws are made as those
 * of `dropout`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built, for what are
 *   no images
 * @example
 * randomBrightness({ factor: 0.1, valueRange: [0, 1] });
 */
export function randomBrightness(options: RandomBrightnessOptions): Layer {
  const where = "randomBrightness";
  knownKeys(options, ["factor", "valueRange", "seed", ...LAYER_OPTIONS], where);
  const factor = factorOption(options.factor, `${where}: factor`, -1, 1);
  const valueRange = valueRangeOption(options.valueRange, `${where}: valueRange`);
  const size = valueRange[1] - valueRange[0];
  const share = ["add", factor[0], ["multiply", factor[1] - factor[0], "u"]] as const;
  return augmentationLayer(options, {
    where,
    type: "RandomBrightness",
    config: { factor, valueRange },
    draws: 1,
    change: (call, draws) => recoloured(call, draws, valueRange, ["add", "x", ["multiply", share, size]]),
  });
}
