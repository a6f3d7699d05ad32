import { knownKeys, oneOf } from "../base/errors.ts";
import { type AugmentationOptions, augmentationLayer, warped } from "./augmentation.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS } from "./options.ts";

export interface RandomFlipOptions extends AugmentationOptions {
  /** Direction: left and right, top and bottom, or both at once. Default `"horizontal_and_vertical"`. */
  readonly mode?: "horizontal" | "vertical" | "horizontal_and_vertical";
}

/**
 * Flips half of the images [batch, height, width, channels] in training: Keras's `RandomFlip`
 * (`keras/src/layers/preprocessing/image_preprocessing/random_flip.py`). Otherwise it passes them on. One draw an image decides for
 * both directions. Draws are made as those of `dropout`. No gradient passes it, so it stands before what is trained.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape`, when it is called or built, for what are no images
 * @example
 * sequential([randomFlip({ mode: "horizontal", inputShape: [32, 32, 3] }), conv2d({ filters: 8, kernelSize: 3 })]);
 */
export function randomFlip(options: RandomFlipOptions = {}): Layer {
  const where = "randomFlip";
  knownKeys(options, ["mode", "seed", ...LAYER_OPTIONS], where);
  const modes = ["horizontal", "vertical", "horizontal_and_vertical"] as const;
  const mode = oneOf(options.mode ?? "horizontal_and_vertical", modes, `${where}: mode`);
  const flip = { low: 1, high: 1, kind: "sign" } as const;
  const affine = {
    ...(mode !== "vertical" && { zoomX: flip }),
    ...(mode !== "horizontal" && { zoomY: flip }),
  };
  const exact = { interpolation: "nearest", fillMode: "nearest", fillValue: 0 } as const;
  return augmentationLayer(options, {
    where,
    type: "RandomFlip",
    config: { mode },
    draws: 1,
    change: (call, draws) => warped(call, draws, affine, exact),
  });
}
