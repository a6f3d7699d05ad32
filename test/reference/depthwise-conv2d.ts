/**
 * Depthwise 2-D convolution in float64 by plain loops: what the GPU kernels are held against.
 *
 * NHWC, kernel [kH, kW, c, m], by Keras 3 (keras/src/layers/convolutional/base_depthwise_conv.py): output channel c * M + m,
 * where M is the multiplier, is input channel c under kernel [., ., c, m].
 *
 *   y[n,oh,ow,c*M+m] = b[c*M+m] + sum over i,j of x[n, oh*strideH + i*dilationH - padTop, ow*strideW + j*dilationW - padLeft, c] * k[i,j,c,m]
 *
 * where cells outside the input count as zero.
 */

import { convGeometry, type Shape4, type WindowOptions } from "./conv2d.ts";

/** The formula above. `b` is one number per output channel, or undefined for none. */
export function depthwiseConv2d(
  x: ArrayLike<number>,
  xShape: Shape4,
  k: ArrayLike<number>,
  kShape: Shape4,
  b: ArrayLike<number> | undefined,
  options: WindowOptions,
): { y: Float64Array; shape: Shape4 } {
  const shape = outputShape(xShape, kShape, options);
  const channels = shape[3];
  const y = new Float64Array(size(shape));
  if (b) for (let at = 0; at < y.length; at++) y[at] = b[at % channels]!;
  forEachProduct(xShape, kShape, options, (xAt, kAt, yAt) => {
    y[yAt] = y[yAt]! + x[xAt]! * k[kAt]!;
  });
  return { y, shape };
}

/** dX[n,h,w,c] = sum of dY * k over every product of the formula that reads x[n,h,w,c]. */
export function depthwiseConv2dInputGradient(
  dY: ArrayLike<number>,
  k: ArrayLike<number>,
  kShape: Shape4,
  xShape: Shape4,
  options: WindowOptions,
): Float64Array {
  const dX = new Float64Array(size(xShape));
  forEachProduct(xShape, kShape, options, (xAt, kAt, yAt) => {
    dX[xAt] = dX[xAt]! + dY[yAt]! * k[kAt]!;
  });
  return dX;
}

/** dK = sum of x * dY over every product of the formula that reads k; dB = sum of dY over n, oh, ow. */
export function depthwiseConv2dFilterGradient(
  x: ArrayLike<number>,
  xShape: Shape4,
  dY: ArrayLike<number>,
  kShape: Shape4,
  options: WindowOptions,
): { dK: Float64Array; dB: Float64Array } {
  const dK = new Float64Array(size(kShape));
  forEachProduct(xShape, kShape, options, (xAt, kAt, yAt) => {
    dK[kAt] = dK[kAt]! + x[xAt]! * dY[yAt]!;
  });
  const channels = kShape[2] * kShape[3];
  const dB = new Float64Array(channels);
  for (let at = 0; at < dY.length; at++) dB[at % channels] = dB[at % channels]! + dY[at]!;
  return { dK, dB };
}

function outputShape(xShape: Shape4, kShape: Shape4, options: WindowOptions): Shape4 {
  const [n, inH, inW, inC] = xShape;
  const [kH, kW, c, multiplier] = kShape;
  if (c !== inC) throw new Error(`depthwiseConv2d: x has ${inC} channels and the kernel takes ${c}.`);
  const { outH, outW } = convGeometry({ inH, inW, kernelSize: [kH, kW], ...options });
  return [n, outH, outW, inC * multiplier];
}

/** Visits every product of the formula once, by its positions in x, k and y; products with padding are left out. */
function forEachProduct(
  xShape: Shape4,
  kShape: Shape4,
  options: WindowOptions,
  visit: (xAt: number, kAt: number, yAt: number) => void,
): void {
  const [count, inH, inW, inC] = xShape;
  const [kH, kW, , multiplier] = kShape;
  const [strideH, strideW] = options.strides;
  const [dilationH, dilationW] = options.dilation ?? [1, 1];
  const { outH, outW, padTop, padLeft } = convGeometry({ inH, inW, kernelSize: [kH, kW], ...options });
  for (let n = 0; n < count; n++)
    for (let oh = 0; oh < outH; oh++)
      for (let ow = 0; ow < outW; ow++)
        for (let i = 0; i < kH; i++)
          for (let j = 0; j < kW; j++) {
            const h = oh * strideH + i * dilationH - padTop;
            const w = ow * strideW + j * dilationW - padLeft;
            if (h < 0 || h >= inH || w < 0 || w >= inW) continue;
            for (let c = 0; c < inC; c++)
              for (let m = 0; m < multiplier; m++) {
                const xAt = ((n * inH + h) * inW + w) * inC + c;
                const kAt = ((i * kW + j) * inC + c) * multiplier + m;
                const yAt = ((n * outH + oh) * outW + ow) * inC * multiplier + c * multiplier + m;
                visit(xAt, kAt, yAt);
              }
          }
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}
