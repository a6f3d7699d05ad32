/**
 * 2-D pooling in float64 by plain loops. NHWC row-major; every channel on its own; window sizes as [h, w].
 *
 * Output sizes and padding follow `convGeometry`. Padding cells are never part of a window: they cannot win a maximum
 * and an average divides by the number of real cells, as Keras and TensorFlow do.
 */

import { convGeometry, type Pair, type Shape4, type WindowOptions } from "./conv2d.ts";
import { exceeds } from "./softmax.ts";

export interface PoolOptions extends WindowOptions {
  readonly poolSize: Pair;
}

/**
 * y[n,oh,ow,c] = max of the window's real cells; `argmax` is that cell's position in x, one per output.
 * Of equal maxima the first in row-major order of the window wins. NaN is larger than all.
 */
export function maxPooling2d(
  x: ArrayLike<number>,
  xShape: Shape4,
  options: PoolOptions,
): { y: Float64Array; argmax: Int32Array; shape: Shape4 } {
  checkLength("x", x, xShape);
  const shape = pooledShape(xShape, options);
  const y = new Float64Array(size(shape));
  const argmax = new Int32Array(size(shape));
  forEachWindow(xShape, options, (yAt, cells) => {
    let best = cells[0]!;
    for (const xAt of cells) if (exceeds(x[xAt]!, x[best]!)) best = xAt;
    y[yAt] = x[best]!;
    argmax[yAt] = best;
  });
  return { y, argmax, shape };
}

/** dX[argmax[at]] += dY[at]: the winner takes the whole gradient; a cell that wins several windows adds them up. */
export function maxPooling2dGradient(dY: ArrayLike<number>, argmax: ArrayLike<number>, xShape: Shape4): Float64Array {
  checkLength("dY", dY, [argmax.length]);
  const dX = new Float64Array(size(xShape));
  for (let at = 0; at < dY.length; at++) dX[argmax[at]!] = dX[argmax[at]!]! + dY[at]!;
  return dX;
}

/** y[n,oh,ow,c] = (sum of the window's real cells) / (number of the window's real cells). */
export function averagePooling2d(
  x: ArrayLike<number>,
  xShape: Shape4,
  options: PoolOptions,
): { y: Float64Array; shape: Shape4 } {
  checkLength("x", x, xShape);
  const shape = pooledShape(xShape, options);
  const y = new Float64Array(size(shape));
  forEachWindow(xShape, options, (yAt, cells) => {
    let sum = 0;
    for (const xAt of cells) sum += x[xAt]!;
    y[yAt] = sum / cells.length;
  });
  return { y, shape };
}

/** dX[cell] = sum of dY[window] / (number of the window's real cells) over every window that holds the cell. */
export function averagePooling2dGradient(dY: ArrayLike<number>, xShape: Shape4, options: PoolOptions): Float64Array {
  checkLength("dY", dY, pooledShape(xShape, options));
  const dX = new Float64Array(size(xShape));
  forEachWindow(xShape, options, (yAt, cells) => {
    for (const xAt of cells) dX[xAt] = dX[xAt]! + dY[yAt]! / cells.length;
  });
  return dX;
}

function pooledShape(xShape: Shape4, options: PoolOptions): Shape4 {
  const [n, inH, inW, c] = xShape;
  const { outH, outW } = convGeometry({ inH, inW, ...options, kernelSize: options.poolSize });
  return [n, outH, outW, c];
}

/** Visits every output once, with the positions in x of its window's real cells in row-major order. */
function forEachWindow(
  xShape: Shape4,
  options: PoolOptions,
  visit: (yAt: number, cells: readonly number[]) => void,
): void {
  const [count, inH, inW, channels] = xShape;
  const [poolH, poolW] = options.poolSize;
  const [strideH, strideW] = options.strides;
  const { outH, outW, padTop, padLeft } = convGeometry({ inH, inW, ...options, kernelSize: options.poolSize });
  for (let n = 0; n < count; n++)
    for (let oh = 0; oh < outH; oh++)
      for (let ow = 0; ow < outW; ow++)
        for (let c = 0; c < channels; c++) {
          const cells: number[] = [];
          for (let i = 0; i < poolH; i++)
            for (let j = 0; j < poolW; j++) {
              const h = oh * strideH + i - padTop;
              const w = ow * strideW + j - padLeft;
              if (h < 0 || h >= inH || w < 0 || w >= inW) continue;
              cells.push(((n * inH + h) * inW + w) * channels + c);
            }
          visit(((n * outH + oh) * outW + ow) * channels + c, cells);
        }
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

function checkLength(name: string, values: ArrayLike<number>, shape: readonly number[]): void {
  if (values.length !== size(shape)) {
    throw new Error(`pooling2d: ${name} has ${values.length} values, its shape [${shape}] needs ${size(shape)}.`);
  }
}
