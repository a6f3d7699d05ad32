import { FeaturemapError } from "../base/errors.ts";
import { type Shape, showShape } from "../base/shape.ts";

export type Pair = readonly [number, number];
export type Padding = "valid" | "same";

/** Window that slides over an image: a convolution's kernel or a pool. */
export interface WindowAttributes {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding;
}

export interface WindowGeometry {
  readonly outH: number;
  readonly outW: number;
  /** Rows of padding above, columns of padding to the left. */
  readonly padH: number;
  readonly padW: number;
  /** Whether any window reaches outside the image. */
  readonly padded: boolean;
}

/**
 * Computes output size and padding, by TensorFlow's and Keras's rule. `valid`: only whole windows, floor((in - size) / stride) + 1.
 * `same`: ceil(in / stride) windows. Their padding is split in half, with the odd row or column after the image.
 *
 * @throws FeaturemapError `shape` where `valid` leaves no window
 */
export function windowGeometry(
  image: Shape,
  { size, strides, padding }: WindowAttributes,
  where: string,
): WindowGeometry {
  const h = alongAxis(image[0]!, size[0], strides[0], padding);
  const w = alongAxis(image[1]!, size[1], strides[1], padding);
  if (h.out < 1 || w.out < 1) {
    throw new FeaturemapError(
      "shape",
      `"${where}" slides a window of ${showShape(size)} over an image of ${showShape(image)}: it does not fit once. ` +
        'Use a smaller window, a larger input or padding: "same".',
    );
  }
  return { outH: h.out, outW: w.out, padH: h.before, padW: w.before, padded: h.padded || w.padded };
}

function alongAxis(length: number, size: number, stride: number, padding: Padding) {
  if (padding === "valid") return { out: Math.floor((length - size) / stride) + 1, before: 0, padded: false };
  const out = Math.ceil(length / stride);
  const total = Math.max((out - 1) * stride + size - length, 0);
  return { out, before: Math.floor(total / 2), padded: total > 0 };
}

/** Gives the constants that all sliding kernels have. */
export function windowConstants(x: Shape, geometry: WindowGeometry, strides: Pair): Record<string, number> {
  return {
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
