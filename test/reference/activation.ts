/**
 * Elementwise activations in float64.
 *
 *   linear  y = x                 dX = dY
 *   relu    y = max(x, 0)         dX = dY where y > 0, else 0 (so 0 at x = 0, as TensorFlow's ReluGrad)
 *   sigmoid y = 1 / (1 + e^-x)    dX = dY * y * (1 - y)
 *   tanh    y = tanh(x)           dX = dY * (1 - y^2)
 *
 * and, with Keras 3's constants,
 *
 *   elu        y = x where x > 0, else e^x - 1    dX = dY where y > 0, else dY (y + 1)
 *   leakyRelu  y = x where x > 0, else 0.2 x      dX = dY where y > 0, else 0.2 dY (so 0.2 at x = 0, as TensorFlow's)
 *   softplus   y = log(1 + e^x)                   dX = dY (1 - e^-y)
 *
 * A NaN gives a NaN, but for the gradients of relu (0) and leakyRelu (0.2 dY), as in Keras on JAX.
 */

export type Activation = "linear" | "relu" | "sigmoid" | "tanh" | "elu" | "leakyRelu" | "softplus";

const functions: Record<Activation, (x: number) => number> = {
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: (x) => Math.tanh(x),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  leakyRelu: (x) => (x > 0 ? x : 0.2 * x),
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
};

/** dX by the output y and the gradient dY of that output. */
const gradients: Record<Activation, (y: number, dY: number) => number> = {
  linear: (_, dY) => dY,
  relu: (y, dY) => (y > 0 ? dY : 0),
  sigmoid: (y, dY) => dY * y * (1 - y),
  tanh: (y, dY) => dY * (1 - y * y),
  elu: (y, dY) => (y > 0 ? dY : dY * (y + 1)),
  leakyRelu: (y, dY) => (y > 0 ? dY : 0.2 * dY),
  softplus: (y, dY) => dY * -Math.expm1(-y),
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

/** The derivative at the input x. It keeps its digits where a form by the output y loses them, beside a y of 1 or -1. */
export function activationSlope(activation: Activation, x: ArrayLike<number>): Float64Array {
  const slope = slopes[activation];
  return Float64Array.from(x, (value) => slope(value));
}

const slopes: Record<Activation, (x: number) => number> = {
  linear: () => 1,
  relu: (x) => (x > 0 ? 1 : 0),
  sigmoid: (x) => Math.exp(-Math.abs(x)) / (1 + Math.exp(-Math.abs(x))) ** 2,
  tanh: (x) => (4 * Math.exp(-2 * Math.abs(x))) / (1 + Math.exp(-2 * Math.abs(x))) ** 2,
  elu: (x) => (x > 0 ? 1 : Math.exp(x)),
  leakyRelu: (x) => (x > 0 ? 1 : 0.2),
  softplus: (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
};
