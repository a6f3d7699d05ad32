/**
 * 2-D convolution in float64 by plain loops: what the GPU kernels are held against.
 *
 * NHWC row-major input, HWIO kernel, cross-correlation (the kernel is not flipped), as Keras and TensorFlow do:
 *
 *   y[n,oh,ow,o] = b[o] + sum over i,j,c of x[n, oh*strideH + i*dilationH - padTop, ow*strideW + j*dilationW - padLeft, g*I + c] * k[i,j,c,o]
 *
 * where cells outside the input count as zero. I is the kernel's input channels, and g the group of o: o / (outC / groups), rounded down.
 */

export type Padding = "valid" | "same";
/** Cells of zeros before and after, along height and along width. */
export type PaddingSizes = readonly [Pair, Pair];
/** [height, width] */
export type Pair = readonly [number, number];
/** [n, h, w, c] of an activation, [h, w, in, out] of a kernel. */
export type Shape4 = readonly [number, number, number, number];

export interface WindowOptions {
  readonly strides: Pair;
  readonly padding: Padding | PaddingSizes;
  /** Default 1. */
  readonly dilation?: Pair;
  /** Of conv2d alone. Default 1. */
  readonly groups?: number;
}

export interface ConvGeometry {
  readonly outH: number;
  readonly outW: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * Output size and leading padding of a window that slides over [inH, inW], by TensorFlow's rule
 * (https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2):
 *
 *   valid: out = ceil((in - k + 1) / stride), no padding
 *   same:  out = ceil(in / stride), total = max((out - 1) * stride + k - in, 0), before = floor(total / 2)
 *
 * The rest of an odd total goes to the bottom and the right. With dilation, k is (k - 1) * dilation + 1. Throws where the window does not fit even once.
 */
export function convGeometry(sizes: {
  readonly inH: number;
  readonly inW: number;
  readonly kernelSize: Pair;
  readonly strides: Pair;
  readonly padding: Padding | PaddingSizes;
  readonly dilation?: Pair;
}): ConvGeometry {
  const { dilation = [1, 1] } = sizes;
  const [kH, kW] = sizes.kernelSize.map((k, axis) => (k - 1) * dilation[axis]! + 1) as [number, number];
  const [strideH, strideW] = sizes.strides;
  const vertical = slide(sizes.inH, kH, strideH, typeof sizes.padding === "string" ? sizes.padding : sizes.padding[0]);
  const horizontal = slide(
    sizes.inW,
    kW,
    strideW,
    typeof sizes.padding === "string" ? sizes.padding : sizes.padding[1],
  );
  return { outH: vertical.out, outW: horizontal.out, padTop: vertical.before, padLeft: horizontal.before };
}

function slide(size: number, k: number, stride: number, padding: Padding | Pair): { out: number; before: number } {
  if (typeof padding !== "string") {
    const [before, after] = padding;
    return { out: slide(size + before + after, k, stride, "valid").out, before };
  }
  if (padding === "same") {
    const out = Math.ceil(size / stride);
    const total = Math.max((out - 1) * stride + k - size, 0);
    return { out, before: Math.floor(total / 2) };
  }
  const out = Math.ceil((size - k + 1) / stride);
  if (out < 1) throw new Error(`convGeometry: a window of ${k} does not fit into ${size} with "valid" padding.`);
  return { out, before: 0 };
}

/** The formula above. `b` is one number per output channel, or undefined for none. */
export function conv2d(
  x: ArrayLike<number>,
  xShape: Shape4,
  k: ArrayLike<number>,
  kShape: Shape4,
  b: ArrayLike<number> | undefined,
  options: WindowOptions,
): { y: Float64Array; shape: Shape4 } {
  const shape = outputShape(xShape, kShape, options);
  checkLength("x", x, xShape);
  checkLength("k", k, kShape);
  const channels = shape[3];
  const y = new Float64Array(size(shape));
  if (b) {
    checkLength("b", b, [channels]);
    for (let at = 0; at < y.length; at++) y[at] = b[at % channels]!;
  }
  forEachProduct(xShape, kShape, options, (xAt, kAt, yAt) => {
    y[yAt] = y[yAt]! + x[xAt]! * k[kAt]!;
  });
  return { y, shape };
}

/** dX[n,h,w,c] = sum of dY[n,oh,ow,o] * k[i,j,c,o] over every product of the formula that reads x[n,h,w,c]. */
export function conv2dInputGradient(
  dY: ArrayLike<number>,
  dYShape: Shape4,
  k: ArrayLike<number>,
  kShape: Shape4,
  xShape: Shape4,
  options: WindowOptions,
): Float64Array {
  checkLength("dY", dY, dYShape);
  checkLength("k", k, kShape);
  checkSameShape(dYShape, outputShape(xShape, kShape, options));
  const dX = new Float64Array(size(xShape));
  forEachProduct(xShape, kShape, options, (xAt, kAt, yAt) => {
    dX[xAt] = dX[xAt]! + dY[yAt]! * k[kAt]!;
  });
  return dX;
}

/**
 * dK[i,j,c,o] = sum of x[n,h,w,c] * dY[n,oh,ow,o] over every product of the formula that reads k[i,j,c,o];
 * dB[o] = sum of dY[n,oh,ow,o] over n, oh, ow. Sums over the batch, no mean: dY already holds the 1/rows of the loss.
 */
export function conv2dFilterGradient(
  x: ArrayLike<number>,
  xShape: Shape4,
  dY: ArrayLike<number>,
  dYShape: Shape4,
  kShape: Shape4,
  options: WindowOptions,
): { dK: Float64Array; dB: Float64Array } {
  checkLength("x", x, xShape);
  checkLength("dY", dY, dYShape);
  checkSameShape(dYShape, outputShape(xShape, kShape, options));
  const dK = new Float64Array(size(kShape));
  forEachProduct(xShape, kShape, options, (xAt, kAt, yAt) => {
    dK[kAt] = dK[kAt]! + x[xAt]! * dY[yAt]!;
  });
  const channels = kShape[3];
  const dB = new Float64Array(channels);
  for (let at = 0; at < dY.length; at++) dB[at % channels] = dB[at % channels]! + dY[at]!;
  return { dK, dB };
}

function outputShape(xShape: Shape4, kShape: Shape4, options: WindowOptions): Shape4 {
  const [n, inH, inW, c] = xShape;
  const [kH, kW, kIn, kOut] = kShape;
  const { groups = 1 } = options;
  if (c !== kIn * groups) throw new Error(`conv2d: x has ${c} channels and the kernel takes ${kIn * groups}.`);
  if (kOut % groups !== 0) throw new Error(`conv2d: ${kOut} filters do not come in ${groups} groups.`);
  const { outH, outW } = convGeometry({ inH, inW, kernelSize: [kH, kW], ...options });
  return [n, outH, outW, kOut];
}

/** Visits every product of the formula once, by its positions in x, k and y; products with padding are left out. */
function forEachProduct(
  xShape: Shape4,
  kShape: Shape4,
  options: WindowOptions,
  visit: (xAt: number, kAt: number, yAt: number) => void,
): void {
  const [count, inH, inW, inC] = xShape;
  const [kH, kW, groupIn, outC] = kShape;
  const [strideH, strideW] = options.strides;
  const { dilation: [dilationH, dilationW] = [1, 1], groups = 1 } = options;
  const { outH, outW, padTop, padLeft } = convGeometry({ inH, inW, kernelSize: [kH, kW], ...options });
  for (let n = 0; n < count; n++)
    for (let oh = 0; oh < outH; oh++)
      for (let ow = 0; ow < outW; ow++)
        for (let i = 0; i < kH; i++)
          for (let j = 0; j < kW; j++) {
            const h = oh * strideH + i * dilationH - padTop;
            const w = ow * strideW + j * dilationW - padLeft;
            if (h < 0 || h >= inH || w < 0 || w >= inW) continue;
            for (let c = 0; c < groupIn; c++)
              for (let o = 0; o < outC; o++) {
                const group = Math.floor(o / (outC / groups));
                const xAt = ((n * inH + h) * inW + w) * inC + group * groupIn + c;
                const kAt = ((i * kW + j) * groupIn + c) * outC + o;
                const yAt = ((n * outH + oh) * outW + ow) * outC + o;
                visit(xAt, kAt, yAt);
              }
          }
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function checkLength(name: string, values: ArrayLike<number>, shape: readonly number[]): void {
  if (values.length !== size(shape)) {
    throw new Error(`conv2d: ${name} has ${values.length} values, its shape [${shape}] needs ${size(shape)}.`);
  }
}

function checkSameShape(got: Shape4, want: Shape4): void {
  if (got.join() !== want.join()) throw new Error(`conv2d: dY has shape [${got}], the forward pass gives [${want}].`);
}
