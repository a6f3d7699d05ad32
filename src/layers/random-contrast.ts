import { knownKeys } from "../base/errors.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
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

export interface RandomContrastOptions extends AugmentationOptions {
  /**
   * Contrasts are drawn between 1 - low and 1 + high, of [low, high] within 0 and 1. A number f stands for [0, f], as in Keras 3.15, so that
   * no contrast gets less.
   */
  readonly factor: FactorOption;
  /** Lowest and highest value of images, to which the result is held. Default [0, 255]. */
  readonly valueRange?: readonly [number, number];
}

/**
 * Changes the contrast of each image [batch, height, width, channels] at random in training: Keras's `RandomContrast`
 * (`keras/src/layers/preprocessing/image_preprocessing/random_contrast.py`). y = (x - mean) factor + mean, with the mean of each
 * channel over the image. Otherwise it passes images on. Draws are made as those of `dropout`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built, for what are
 *   no images
 * @example
 * randomContrast({ factor: [0.2, 0.2], valueRange: [0, 1] });
 */
export function randomContrast(options: RandomContrastOptions): Layer {
  const where = "randomContrast";
  knownKeys(options, ["factor", "valueRange", "seed", ...LAYER_OPTIONS], where);
  const factor = factorOption(options.factor, `${where}: factor`, 0, 1);
  const valueRange = valueRangeOption(options.valueRange, `${where}: valueRange`);
  const [low, span] = [1 - factor[0], factor[0] + factor[1]];
  const contrast: Expression = ["add", low, ["multiply", span, "u"]];
  return augmentationLayer(options, {
    where,
    type: "RandomContrast",
    config: { factor, valueRange },
    draws: 1,
    change: (call, draws) => {
      const reduction = { kind: "mean", axes: [1, 2], keepDims: true } as const;
      const mean = evaluated(call.add, "x", { x: call.input }, { reduction });
      const expression: Expression = ["add", ["multiply", ["subtract", "x", "mean"], contrast], "mean"];
      return recoloured(call, draws, valueRange, expression, { mean });
    },
  });
}
