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

export interface RandomZoomOptions extends WarpOptions {
  /** How much more of the height is seen, from above -1 to 1: 0.2 zooms out, to 1.2 heights, and -0.2 in, to 0.8. */
  readonly heightFactor: FactorOption;
  /** The same of the width. Default: as the height, so that shapes stay. */
  readonly widthFactor?: FactorOption;
}

/**
 * Zooms into or out of each image [batch, height, width, channels] at random in training: Keras's `RandomZoom`
 * (`keras/src/layers/preprocessing/image_preprocessing/random_zoom.py`). Otherwise it passes them on. Draws are made as those of
 * `dropout`. No gradient passes it, so it stands before what is trained.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built, for what are
 *   no images
 * @example
 * randomZoom({ heightFactor: 0.1 });
 */
export function randomZoom(options: RandomZoomOptions): Layer {
  const where = "randomZoom";
  knownKeys(options, ["heightFactor", "widthFactor", ...WARP_OPTIONS, "seed", ...LAYER_OPTIONS], where);
  // A zoom of 0, which -1 would be, makes one pixel of the whole image.
  const least = -0.999;
  const heightFactor = factorOption(options.heightFactor, `${where}: heightFactor`, least, 1);
  const { widthFactor: given } = options;
  const widthFactor = given === undefined ? undefined : factorOption(given, `${where}: widthFactor`, least, 1);
  const edges = warpOptions(options, where);
  const zoomY = { low: 1 + heightFactor[0], high: 1 + heightFactor[1], column: 0 };
  const zoomX = widthFactor ? { low: 1 + widthFactor[0], high: 1 + widthFactor[1], column: 1 } : zoomY;
  return augmentationLayer(options, {
    where,
    type: "RandomZoom",
    config: { heightFactor, ...(widthFactor && { widthFactor }), ...edges },
    draws: widthFactor ? 2 : 1,
    change: (call, draws) => warped(call, draws, { zoomX, zoomY }, edges),
  });
}
