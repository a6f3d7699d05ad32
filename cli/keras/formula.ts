// The closed formula shared with test/golden/make_golden.py: both sides compute the same initial weights and the same projections,
// so the golden files carry figures only, never weights.

const BIAS_LIMIT = 0.05;
const PROJECTIONS = 4;
const FIRST_PROJECTION_STREAM = 1000;

/**
 * A figure in [0, 1): the lowbias32 hash (https://nullprogram.com/blog/2018/07/31/) of
 * `index + stream * 0x9E3779B9` mod 2^32, over 2^32. Both arguments are non-negative integers below 2^32.
 */
export function uniform(stream: number, index: number): number {
  let x = (index + Math.imul(stream, 0x9e3779b9)) >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  x = Math.imul(x, 0x846ca68b);
  x ^= x >>> 16;
  return (x >>> 0) / 2 ** 32;
}

/**
 * Initial weights for tensors in Keras's order and layout (convolution kernels HWIO, dense kernels [in, out], row-major).
 * Kernels lie in Glorot's uniform limit with the fans of Keras's compute_fans; biases (rank 1) lie in +-0.05 and are
 * not zero, so that an error in a bias shows. Tensor t draws from stream t + 1.
 */
export function goldenWeights(tensors: readonly { readonly shape: readonly number[] }[]): Float32Array<ArrayBuffer>[] {
  return tensors.map(({ shape }, t) => {
    const limit = shape.length > 1 ? glorotLimit(shape) : BIAS_LIMIT;
    const values = new Float32Array(product(shape));
    for (let i = 0; i < values.length; i++) values[i] = (2 * uniform(t + 1, i) - 1) * limit;
    return values;
  });
}

/** The gradient's Euclidean norm, and its dot products with four fixed directions of entries in [-1, 1); float64. */
export function projections(gradient: ArrayLike<number>): { norm: number; projections: number[] } {
  const sums = new Array<number>(PROJECTIONS).fill(0);
  let squares = 0;
  for (let i = 0; i < gradient.length; i++) {
    const value = gradient[i]!;
    squares += value * value;
    for (let j = 0; j < PROJECTIONS; j++) sums[j]! += value * (2 * uniform(FIRST_PROJECTION_STREAM + j, i) - 1);
  }
  return { norm: Math.sqrt(squares), projections: sums };
}

function glorotLimit(shape: readonly number[]): number {
  const receptive = product(shape.slice(0, -2));
  return Math.sqrt(6 / (receptive * (shape.at(-2)! + shape.at(-1)!)));
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
