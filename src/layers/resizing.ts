import { FeaturemapError, finiteNumber, flag, knownKeys, oneOf, positiveInteger } from "../base/errors.ts";
import type { TensorId } from "../graph/tensor.ts";
import { pad } from "../ops/arrange/pad.ts";
import { type Interpolation, resample } from "../ops/resample/resample.ts";
import type { Pair } from "../ops/window.ts";
import { defineLayer } from "./define-layer.ts";
import { assertImageInput, type Layer, type LayerCall } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface ResizingOptions extends LayerOptions {
  /** Rows and columns afterwards, each below 16,384. */
  readonly height: number;
  readonly width: number;
  /** Pixels by their distance, or the nearest one. Default `bilinear`. */
  readonly interpolation?: Interpolation;
  /** Whether what is too much of an image is cut off evenly, so that nothing is distorted. Default false. */
  readonly cropToAspectRatio?: boolean;
  /** Whether rows or columns of `fillValue` are put around an image, so that nothing is distorted. Default false. */
  readonly padToAspectRatio?: boolean;
  /** What those are: `constant`, Keras's one word for it. */
  readonly fillMode?: "constant";
  /** Default 0. */
  readonly fillValue?: number;
  /** Whether each pixel of a smaller image is a mean of all that it stands for. Default false. */
  readonly antialias?: boolean;
}

/**
 * Images of another size: Keras's `Resizing` (keras/src/layers/preprocessing/image_preprocessing/resizing.py), by `bilinear` or
 * `nearest`. It is differentiated as any other layer.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or wrong, or for both ratios; `shape`, when it is called or
 *   built, for no images
 * @example
 * resizing({ height: 32, width: 32, cropToAspectRatio: true }); // [batch, 48, 64, 3] to [batch, 32, 32, 3]
 */
export function resizing(options: ResizingOptions): Layer {
  const where = "resizing";
  knownKeys(
    options,
    [
      "height",
      "width",
      "interpolation",
      "cropToAspectRatio",
      "padToAspectRatio",
      "fillMode",
      "fillValue",
      "antialias",
      ...LAYER_OPTIONS,
    ],
    where,
  );
  const height = positiveInteger(options.height, `${where}: height`, 14);
  const width = positiveInteger(options.width, `${where}: width`, 14);
  const interpolation = interpolationOption(options.interpolation ?? "bilinear", `${where}: interpolation`);
  const cropToAspectRatio = flag(options.cropToAspectRatio ?? false, `${where}: cropToAspectRatio`);
  const padToAspectRatio = flag(options.padToAspectRatio ?? false, `${where}: padToAspectRatio`);
  if (cropToAspectRatio && padToAspectRatio) {
    throw new FeaturemapError(
      "value",
      `${where} can crop or pad to the aspect ratio, not both. Make one of them false.`,
    );
  }
  const fillMode = oneOf(options.fillMode ?? "constant", ["constant"], `${where}: fillMode`);
  const fillValue = finiteNumber(options.fillValue ?? 0, `${where}: fillValue`);
  const antialias = flag(options.antialias ?? false, `${where}: antialias`);
  const edges = { cropToAspectRatio, padToAspectRatio, fillMode, fillValue };
  const type = "Resizing";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { height, width, interpolation, ...edges, antialias },
    variables: (built) => {
      assertImageInput(type, built);
      return [];
    },
    call: (call) => {
      const [h, w] = call.shapeOf(call.input).slice(1) as unknown as Pair;
      // Sizes of the same ratio as height to width that lie in the image, or around it. Keras rounds down.
      const [rows, columns] = [Math.floor((w * height) / width), Math.floor((h * width) / height)];
      let x = call.input;
      if (cropToAspectRatio) {
        const [inH, inW] = [Math.max(Math.min(h, rows), 1), Math.max(Math.min(w, columns), 1)];
        const [top, left] = [Math.floor((h - inH) / 2), Math.floor((w - inW) / 2)];
        x = moved(call, [-top, -left], [top + inH - h, left + inW - w]);
      } else if (padToAspectRatio) {
        const [top, left] = [Math.max(Math.floor((rows - h) / 2), 0), Math.max(Math.floor((columns - w) / 2), 0)];
        x = moved(call, [top, left], [top, left], fillValue);
      }
      return resized(call, x, [height, width], interpolation, antialias);
    },
  });
}

/** @throws FeaturemapError `value` for another word */
export function interpolationOption(value: unknown, where: string): Interpolation {
  return oneOf(value, ["bilinear", "nearest"], where);
}

/** Gives images another size, one axis after the other. An axis that has its size costs nothing. */
export function resized(
  { add, shapeOf }: LayerCall,
  images: TensorId,
  sizes: Pair,
  interpolation: Interpolation,
  antialias = false,
): TensorId {
  let x = images;
  for (const [i, size] of sizes.entries()) {
    const axis = i + 1;
    if (shapeOf(x)[axis] !== size) x = add(resample, { x }, { axis, size, interpolation, antialias }).y;
  }
  return x;
}

function moved({ add, input }: LayerCall, before: Pair, after: Pair, value = 0): TensorId {
  if ([...before, ...after].every((size) => size === 0)) return input;
  return add(pad, { x: input }, { before: [0, ...before, 0], after: [0, ...after, 0], value }).y;
}
