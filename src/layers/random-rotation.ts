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

export interface RandomRotationOptions extends WarpOptions {
  /** Angle in turns, from -1 to 1: 0.1 is up to 36 degrees either way. Positive is counter-clockwise. */
  readonly factor: FactorOption;
}

/**
 * Turns each image [batch, height, width, channels] about its centre at random in training: Keras's `RandomRotation`
 * (`keras/src/layers/preprocessing/image_preprocessing/random_rotation.py`). Otherwise it passes them on. Draws are made as those of
 * `dropout`. No gradient passes it, so it stands before what is trained.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built, for what are
 *   no images
 * @example
 * randomRotation({ factor: 0.05 });
 */
export function randomRotation(options: RandomRotationOptions): Layer {
  const where = "randomRotation";
  knownKeys(options, ["factor", ...WARP_OPTIONS, "seed", ...LAYER_OPTIONS], where);
  const [low, high] = factorOption(options.factor, `${where}: factor`, -1, 1);
  const edges = warpOptions(options, where);
  return augmentationLayer(options, {
    where,
    type: "RandomRotation",
    config: { factor: [low, high], ...edges },
    draws: 1,
    change: (call, draws) => warped(call, draws, { angle: { low, high } }, edges),
  });
}
