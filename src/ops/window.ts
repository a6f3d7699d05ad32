import { FeaturemapError } from "../base/errors.ts";
import { type Shape, showShape } from "../base/shape.ts";

export type Pair = readonly [number, number];
export type Padding = "valid" | "same";

/** Rows of zeros above and below an image, and columns to the left and right. */
export type PaddingSizes = readonly [Pair, Pair];

/** Window that slides over an image: a convolution's kernel or a pool. */
export interface WindowAttributes {
  readonly size: Pair;
  readonly strides: Pair;
  readonly padding: Padding | PaddingSizes;
  /** Rows and columns from tap to tap: Keras's `dilation_rate`. Default 1. */
  readonly dilation?: Pair | undefined;
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
 * `same`: ceil(in / stride) windows. Their padding is split in half, with the odd row or column after the image. Sizes of padding:
 * as many whole windows as fit into the image with it. A window whose taps are `dilation` apart is (size - 1) * dilation + 1 long.
 *
 * @throws FeaturemapError `shape` where there is no whole window; `value` where strides and dilation are both above 1
 */
export function windowGeometry(
  image: Shape,
  { size, strides, padding, dilation = [1, 1] }: WindowAttributes,
  where: string,
): WindowGeometry {
  assertStridesOrDilation(strides, dilation, where);
  const [h, w] = ([0, 1] as const).map((axis) => {
    const spread = (size[axis] - 1) * dilation[axis] + 1;
    return alongAxis(image[axis]!, spread, strides[axis], typeof padding === "string" ? padding : padding[axis]);
  }) as [Along, Along];
  if (h.out < 1 || w.out < 1) {
    throw new FeaturemapError(
      "shape",
      `"${where}" slides a window of ${showShape(size)}${spreadOf(dilation)} over an image of ${showShape(image)}: it does not fit once. ` +
        'Use a smaller window, a larger input or padding: "same".',
    );
  }
  return { outH: h.out, outW: w.out, padH: h.before, padW: w.before, padded: h.padded || w.padded };
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

function spreadOf(dilation: Pair): string {
  return Math.max(...dilation) > 1 ? ` with a dilationRate of ${showShape(dilation)}` : "";
}

interface Along {
  readonly out: number;
  readonly before: number;
  readonly padded: boolean;
}

function alongAxis(length: number, size: number, stride: number, padding: Padding | Pair): Along {
  if (padding !== "same") {
    const [before, after] = padding === "valid" ? [0, 0] : padding;
    const out = Math.floor((length + before + after - size) / stride) + 1;
    return { out, before, padded: before > 0 || (out - 1) * stride + size > length + before };
  }
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
 * Computes the size of a transposed convolution's output, and the padding by which a convolution leads from there back to the image,
 * by Keras's rule (keras/src/backend/common/backend_utils.py). `valid`: (in - 1) * stride + max(size, stride). `same`: in * stride. With
 * `outputPadding`: (in - 1) * stride + outputPadding, and the size (`valid`) or 1 for an odd size (`same`).
 *
 * @throws FeaturemapError `shape` where nothing is left; `value` where strides and dilation are both above 1
 */
export function transposedGeometry(
  image: Shape,
  { size, strides, padding, dilation = [1, 1], outputPadding }: TransposedWindow,
  where: string,
): { readonly out: Pair; readonly padding: PaddingSizes } {
  assertStridesOrDilation(strides, dilation, where);
  const axes = ([0, 1] as const).map((axis) => {
    const spread = (size[axis] - 1) * dilation[axis] + 1;
    const stride = strides[axis];
    const last = (image[axis]! - 1) * stride;
    const added = outputPadding?.[axis];
    if (padding === "valid")
      return { out: last + spread + (added ?? Math.max(stride - spread, 0)), sizes: [0, 0] as Pair };
    const odd = spread % 2;
    const out = last + (added === undefined ? stride : odd + added);
    const total = last + spread - out;
    // The odd one comes after the image, as in a convolution.
    const before = Math.max(Math.floor(total / 2), 0);
    return { out, sizes: [before, Math.max(total - before, 0)] as Pair };
  });
  const out = axes.map((axis) => axis.out) as unknown as Pair;
  if (Math.min(...out) > 0) return { out, padding: axes.map(({ sizes }) => sizes) as unknown as PaddingSizes };
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
