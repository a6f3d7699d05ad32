/**
 * Transposed 2-D convolution in float64 by plain loops: what the GPU kernels are held against.
 *
 * NHWC, kernel [kH, kW, filters, channels], by Keras 3 (keras/src/backend/common/backend_utils.py):
 *
 *   y[n, h*strideH + i*dilationH - cropTop, w*strideW + j*dilationW - cropLeft, f] += x[n,h,w,c] * k[i,j,f,c]
 *
 * for all n, h, w, c, i, j, f whose place lies in y, which begins with b[f].
 */

import type { Padding, Pair, Shape4 } from "./conv2d.ts";

export interface TransposeOptions {
  readonly strides: Pair;
  readonly padding: Padding;
  readonly dilation?: Pair;
  readonly outputPadding?: Pair;
}

/** Size of y along one axis, and the rows that are cut off at its beginning. */
export function transposedAxis(
  length: number,
  k: number,
  stride: number,
  padding: Padding,
  dilation = 1,
  outputPadding?: number,
): { out: number; crop: number } {
  const reach = (k - 1) * dilation + 1;
  if (padding === "valid") {
    return { out: (length - 1) * stride + reach + (outputPadding ?? Math.max(reach, stride) - reach), crop: 0 };
  }
  // Keras pads the image, spread by its stride, by so much in all and on the left.
  const all = outputPadding === undefined ? stride + reach - 2 : reach + (reach % 2) - 2 + outputPadding;
  const left = Math.min(Math.floor(all / 2) + (((all % 2) + 2) % 2), reach - 1);
  const out = outputPadding === undefined ? length * stride : (length - 1) * stride + (reach % 2) + outputPadding;
  return { out, crop: reach - 1 - left };
}

/** The formula above. */
export function conv2dTranspose(
  x: ArrayLike<number>,
  xShape: Shape4,
  k: ArrayLike<number>,
  kShape: Shape4,
  b: ArrayLike<number> | undefined,
  options: TransposeOptions,
): { y: Float64Array; shape: Shape4 } {
  const { shape } = sizesOf(xShape, kShape, options);
  const y = new Float64Array(size(shape));
  if (b) for (let at = 0; at < y.length; at++) y[at] = b[at % shape[3]]!;
  forEachProduct(xShape, kShape, options, (xAt, kAt, yAt) => {
    y[yAt] = y[yAt]! + x[xAt]! * k[kAt]!;
  });
  return { y, shape };
}

/** Gradients of x, k and b: sums of dY * k, of dY * x over every product of the formula, and of dY. */
export function conv2dTransposeGradients(
  x: ArrayLike<number>,
  xShape: Shape4,
  k: ArrayLike<number>,
  kShape: Shape4,
  dY: ArrayLike<number>,
  options: TransposeOptions,
): { dX: Float64Array; dK: Float64Array; dB: Float64Array } {
  const [dX, dK, dB] = [new Float64Array(size(xShape)), new Float64Array(size(kShape)), new Float64Array(kShape[2])];
  forEachProduct(xShape, kShape, options, (xAt, kAt, yAt) => {
    dX[xAt] = dX[xAt]! + dY[yAt]! * k[kAt]!;
    dK[kAt] = dK[kAt]! + dY[yAt]! * x[xAt]!;
  });
  for (let at = 0; at < dY.length; at++) dB[at % dB.length] = dB[at % dB.length]! + dY[at]!;
  return { dX, dK, dB };
}

function sizesOf(xShape: Shape4, kShape: Shape4, options: TransposeOptions) {
  const { strides, padding, dilation = [1, 1], outputPadding } = options;
  const [h, w] = ([0, 1] as const).map((axis) =>
    transposedAxis(xShape[axis + 1]!, kShape[axis], strides[axis], padding, dilation[axis], outputPadding?.[axis]),
  ) as [{ out: number; crop: number }, { out: number; crop: number }];
  return { h, w, dilation, strides, shape: [xShape[0], h.out, w.out, kShape[2]] as Shape4 };
}

function forEachProduct(
  xShape: Shape4,
  kShape: Shape4,
  options: TransposeOptions,
  visit: (xAt: number, kAt: number, yAt: number) => void,
): void {
  const [count, inH, inW, channels] = xShape;
  const [kH, kW, filters] = kShape;
  const { h, w, dilation, strides } = sizesOf(xShape, kShape, options);
  for (let n = 0; n < count; n++)
    for (let ih = 0; ih < inH; ih++)
      for (let iw = 0; iw < inW; iw++)
        for (let i = 0; i < kH; i++)
          for (let j = 0; j < kW; j++) {
            const oh = ih * strides[0] + i * dilation[0] - h.crop;
            const ow = iw * strides[1] + j * dilation[1] - w.crop;
            if (oh < 0 || oh >= h.out || ow < 0 || ow >= w.out) continue;
            for (let c = 0; c < channels; c++)
              for (let f = 0; f < filters; f++) {
                const xAt = ((n * inH + ih) * inW + iw) * channels + c;
                visit(xAt, ((i * kW + j) * filters + f) * channels + c, ((n * h.out + oh) * w.out + ow) * filters + f);
              }
          }
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
