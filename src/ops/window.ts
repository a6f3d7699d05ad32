import { FeaturemapError } from "../base/errors.ts";
import { type Shape, showShape } from "../base/shape.ts";

export type Pair = readonly [number, number];
export type Padding = "valid" | "same";

/** Window that slides over an image: a convolution's kernel or a pool. */
export interface WindowAttributes {
  readonly size: Pair;
  readonly strides: Pair;
  /** Rule of the padding, or what it would give. */
  readonly padding: Padding | WindowGeometry;
  /** Rows and columns from tap to tap: Keras's `dilation_rate`. Default 1. */
  readonly dilation?: Pair | undefined;
}

export interface WindowGeometry {
  readonly outH: number;
  readonly outW: number;
  /** Rows of zeros above the image. */
  readonly padH: number;
  readonly padW: number;
  /** Some window reaches outside the image, on whichever side. */
  readonly padded: boolean;
}

/**
 * Computes output size and padding, by TensorFlow's and Keras's rule. `valid`: only whole windows, floor((in - size) / stride) + 1.
 * `same`: ceil(in / stride) windows. Their padding is split in half, with the odd row or column after the image. A window whose taps
 * are `dilation` apart is (size - 1) * dilation + 1 long.
 *
 * @throws FeaturemapError `shape` where there is no whole window; `value` where strides and dilation are both above 1
 */
export function windowGeometry(
  image: Shape,
  { size, strides, padding, dilation = [1, 1] }: WindowAttributes,
  where: string,
): WindowGeometry {
  assertStridesOrDilation(strides, dilation, where);
  if (typeof padding === "object") return padding;
  const spread = spreadOf(size, dilation);
  const h = alongAxis(image[0]!, spread[0], strides[0], padding);
  const w = alongAxis(image[1]!, spread[1], strides[1], padding);
  if (h.out < 1 || w.out < 1) {
    throw new FeaturemapError(
      "shape",
      `"${where}" slides a window of ${showShape(spread)} over an image of ${showShape(image)}: it does not fit once. ` +
        'Use a smaller window, a larger input or padding: "same".',
    );
  }
  return { outH: h.out, outW: w.out, padH: h.before, padW: w.before, padded: h.padded || w.padded };
}

/** Gives the rows and columns from the first tap of a window to its last. */
function spreadOf(size: Pair, dilation: Pair): Pair {
  return [(size[0] - 1) * dilation[0] + 1, (size[1] - 1) * dilation[1] + 1];
}

/**
 * Refuses steps of the window beside steps between its taps, as Keras does.
 *
 * @throws FeaturemapError `value` where both are above 1, on whichever axes
 */
export function assertStridesOrDilation(strides: Pair, dilation: Pair, where: string): void {
  if (Math.max(...strides) === 1 || Math.max(...dilation) === 1) return;
  const got = `strides ${showShape(strides)} and dilationRate ${showShape(dilation)}`;
  throw new FeaturemapError("value", `"${where}" cannot have both above 1: ${got}. Make one of them 1.`);
}

function alongAxis(length: number, size: number, stride: number, padding: Padding) {
  if (padding === "valid") return { out: Math.floor((length - size) / stride) + 1, before: 0, padded: false };
  const out = Math.ceil(length / stride);
  const total = Math.max((out - 1) * stride + size - length, 0);
  return { out, before: Math.floor(total / 2), padded: total > 0 };
}

/** Window of a transposed convolution, which puts a window of numbers into a larger image for each number of a smaller one. */
export interface TransposedWindow extends Omit<WindowAttributes, "padding"> {
  readonly padding: Padding;
  /** Rows and columns added at the end of the larger image, each below its stride. Default: as many as `padding` wants. */
  readonly outputPadding?: Pair | undefined;
}

/**
 * Computes the size of a transposed convolution's output, and the geometry of the convolution that leads from there back to the image,
 * by Keras's rule (keras/src/backend/common/backend_utils.py). `valid`: (in - 1) * stride + max(size, stride). `same`: in * stride. With
 * `outputPadding`: (in - 1) * stride + outputPadding, and the size (`valid`) or 1 for an odd size (`same`).
 *
 * @throws FeaturemapError `shape` where nothing is left; `value` where strides and dilation are both above 1
 */
export function transposedGeometry(
  image: Shape,
  { size, strides, padding, dilation = [1, 1], outputPadding }: TransposedWindow,
  where: string,
): { readonly out: Pair; readonly back: WindowGeometry } {
  assertStridesOrDilation(strides, dilation, where);
  const spread = spreadOf(size, dilation);
  const along = (axis: 0 | 1) => {
    const reach = (image[axis]! - 1) * strides[axis] + spread[axis];
    const added = outputPadding?.[axis];
    if (padding === "valid") {
      return { out: reach + (added ?? Math.max(strides[axis] - spread[axis], 0)), before: 0, padded: false };
    }
    const out = added === undefined ? image[axis]! * strides[axis] : reach - spread[axis] + (spread[axis] % 2) + added;
    // The odd one comes after the image, as in a convolution.
    return { out, before: Math.max(Math.floor((reach - out) / 2), 0), padded: reach > out };
  };
  const [h, w] = [along(0), along(1)];
  if (Math.min(h.out, w.out) > 0) {
    const back = { outH: image[0]!, outW: image[1]!, padH: h.before, padW: w.before, padded: h.padded || w.padded };
    return { out: [h.out, w.out], back };
  }
  const got = `${showShape(image)}, with outputPadding ${showShape(outputPadding!)}`;
  throw new FeaturemapError("shape", `"${where}" leaves nothing of an image of ${got}. Use a larger outputPadding.`);
}

/** Gives the constants that all sliding kernels have. */
export function windowConstants(
  x: Shape,
  geometry: WindowGeometry,
  { strides, dilation }: Pick<WindowAttributes, "strides" | "dilation">,
): Record<string, number> {
  return {
    ...(dilation && { DILATION_H: dilation[0], DILATION_W: dilation[1] }),
    BATCH: x[0]!,
    IN_H: x[1]!,
    IN_W: x[2]!,
    OUT_H: geometry.outH,
    OUT_W: geometry.outW,
    STRIDE_H: strides[0],
    STRIDE_W: strides[1],
    PAD_H: geometry.padH,
    PAD_W: geometry.padW,
  };
}

/** @throws FeaturemapError `shape` unless x is a batch of images, [batch, height, width, channels] */
export function assertImages(x: Shape, where: string): void {
  if (x.length !== 4) {
    throw new FeaturemapError(
      "shape",
      `"${where}" wants images [batch, height, width, channels], got ${showShape(x)}.`,
    );
  }
}
