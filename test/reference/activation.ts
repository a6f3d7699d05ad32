/**
 * Elementwise activations in float64.
 *
 *   linear  y = x                 dX = dY
 *   relu    y = max(x, 0)         dX = dY where y > 0, else 0 (so 0 at x = 0, as TensorFlow's ReluGrad)
 *   sigmoid y = 1 / (1 + e^-x)    dX = dY * y * (1 - y)
 *   tanh    y = tanh(x)           dX = dY * (1 - y^2)
 */

export type Activation = "linear" | "relu" | "sigmoid" | "tanh";

const functions: Record<Activation, (x: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: (x) => Math.tanh(x),
};

/** dX by the output y and the gradient dY of that output. */
const gradients: Record<Activation, (y: number, dY: number) => number> = {
  linear: (_, dY) => dY,
  relu: (y, dY) => (y > 0 ? dY : 0),
  sigmoid: (y, dY) => dY * y * (1 - y),
  tanh: (y, dY) => dY * (1 - y * y),
};

/** y[at] = f(x[at]) by the table above. */
export function activate(activation: Activation, x: ArrayLike<number>): Float64Array {
  const f = functions[activation];
  return Float64Array.from(x, (value) => f(value));
}

/** dX[at] by the table above: it needs the output y, not the input x. */
export function activationGradient(activation: Activation, y: ArrayLike<number>, dY: ArrayLike<number>): Float64Array {
  if (y.length !== dY.length) throw new Error(`activationGradient: y has ${y.length} values, dY has ${dY.length}.`);
  const gradient = gradients[activation];
  return Float64Array.from(y, (value, at) => gradient(value, dY[at]!));
}
