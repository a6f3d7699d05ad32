import { knownKeys, positiveInteger } from "../base/errors.ts";
import type { TensorId } from "../graph/tensor.ts";
import { fill } from "../ops/elementwise/fill.ts";
import { type AugmentationOptions, augmentationLayer, warped } from "./augmentation.ts";
import type { Layer, LayerCall } from "./layer.ts";
import { LAYER_OPTIONS } from "./options.ts";

export interface RandomCropOptions extends AugmentationOptions {
  /** Size of the images that are made. */
  readonly height: number;
  readonly width: number;
}

/**
 * Cuts a window of a size out of images [batch, height, width, channels], in training at random: Keras's `RandomCrop`
 * (`keras/src/layers/preprocessing/image_preprocessing/random_crop.py`). As there, all images of a batch have the same window.
 *
 * Otherwise, and where an image is not larger than the window in both directions, the largest window of that shape in the middle is
 * brought to the size, linearly. So Keras's docstring says it; Keras 3.15 returns the image as it is. Draws are made as those of
 * `dropout`. No gradient passes it, so it stands before what is trained.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built, for what are
 *   no images
 * @example
 * sequential([randomCrop({ height: 28, width: 28, inputShape: [32, 32, 3] })]);
 */
export function randomCrop(options: RandomCropOptions): Layer {
  const where = "randomCrop";
  knownKeys(options, ["height", "width", "seed", ...LAYER_OPTIONS], where);
  const height = positiveInteger(options.height, `${where}: height`, 31);
  const width = positiveInteger(options.width, `${where}: width`, 31);
  const size = { height, width };
  /** The largest window of the shape, made as large as wanted. Pixels are squares, whose corners meet. */
  const resized = (call: LayerCall): TensorId => {
    const [, inH, inW] = call.shapeOf(call.input) as readonly [number, number, number];
    if (inH === height && inW === width) return call.input;
    const windowH = Math.max(Math.min(inH, Math.trunc((inW * height) / width)), 1);
    const windowW = Math.max(Math.min(inW, Math.trunc((inH * width) / height)), 1);
    const along = (whole: number, window: number, made: number) => {
      const zoom = window / made;
      const first = Math.trunc((whole - window) / 2) + (zoom - 1) / 2;
      const shift = ((whole - 1) / 2) * (1 - zoom) - first;
      return { zoom: { low: zoom, high: zoom }, shift: { low: shift, high: shift } };
    };
    const [y, x] = [along(inH, windowH, height), along(inW, windowW, width)];
    const draws = call.add(fill, {}, { shape: [1, 1], value: 0 }).y;
    const affine = { zoomX: x.zoom, zoomY: y.zoom, shiftX: x.shift, shiftY: y.shift };
    return warped(call, draws, affine, { interpolation: "bilinear", fillMode: "nearest", fillValue: 0, ...size });
  };
  return augmentationLayer(options, {
    where,
    type: "RandomCrop",
    config: size,
    draws: 2,
    shared: true,
    change: (call, draws) => {
      const [, inH, inW] = call.shapeOf(call.input) as readonly [number, number, number];
      if (inH <= height || inW <= width) return resized(call);
      // What is seen moves up and left by the window's first row and column: the shift is negative.
      const shiftY = { low: 0, high: height - inH - 1, column: 0, kind: "whole" } as const;
      const shiftX = { low: 0, high: width - inW - 1, column: 1, kind: "whole" } as const;
      return warped(
        call,
        draws,
        { shiftX, shiftY },
        { interpolation: "nearest", fillMode: "nearest", fillValue: 0, ...size },
      );
    },
    otherwise: resized,
  });
}
