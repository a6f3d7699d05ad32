import {
  defineKernel,
  defineLayer,
  defineOp,
  dispatch,
  type Layer,
  type Optimizer,
  ops,
  typed,
} from "../../src/index.ts";

/**
 * What a user adds without touching the library: an op with its kernel and its gradient, a layer of two branches, an
 * optimizer with state. Everything comes through the doors that the library's own ops, layers and optimizers use.
 */

/** What calls a kernel with one invocation an element. */
function oneEach(shape: readonly number[]) {
  const SIZE = shape.reduce((a, b) => a * b, 1);
  return { constants: { SIZE }, workgroups: [Math.ceil(SIZE / 64), 1, 1] } as const;
}

const squareKernel = defineKernel<{ x: "read"; y: "write" }>(/* wgsl */ `
const SIZE: u32 = 1u;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn square(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < SIZE) {
    y[id.x] = x[id.x] * x[id.x];
  }
}`);

const squareGradientKernel = defineKernel<{ x: "read"; dy: "read"; dx: "write" }>(/* wgsl */ `
const SIZE: u32 = 1u;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;
@compute @workgroup_size(64)
fn square_gradient(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < SIZE) {
    dx[id.x] = 2.0f * x[id.x] * dy[id.x];
  }
}`);

const square = defineOp({
  name: "square",
  inputs: ["x"],
  outputs: ["y"],
  infer: ({ x }) => ({ y: x }),
  gradient: ({ inputs: { x }, gradients: { y: dy }, add }) => ({ x: add(squareGradient, { x, dy: dy! }).dx }),
  lower: ({ inputs, outputs }) => [
    dispatch(squareKernel, { bind: { ...inputs, ...outputs }, ...oneEach(inputs.x.shape) }),
  ],
});

const squareGradient = defineOp({
  name: "squareGradient",
  inputs: ["x", "dy"],
  outputs: ["dx"],
  infer: ({ x }) => ({ dx: x }),
  lower: ({ inputs, outputs }) => [
    dispatch(squareGradientKernel, { bind: { ...inputs, ...outputs }, ...oneEach(inputs.x.shape) }),
  ],
});

/** y = x kernel + x^2: two branches from one input, joined again. */
export function squareResidual(): Layer {
  return defineLayer({
    type: "SquareResidual",
    variables: ({ input }) => [{ name: "kernel", shape: [input[0]!, input[0]!], initializer: "glorotUniform" }],
    call: ({ input: x, variables: { kernel }, add }) => {
      const linear = add(ops.dense, { x, kernel: kernel! });
      return add(ops.add, { a: linear.y, b: add(square, { x }).y }).c;
    },
  });
}

/**
 * y = act(x kernel): an op on the library's product. By `fuses` it says that its kernel has a place for the activation that
 * follows, which the library then moves there.
 */
export const linear = defineOp({
  name: "linear",
  inputs: ["x", "kernel"],
  outputs: ["y"],
  attributes: typed<Pick<ops.Epilogue, "activation">>(),
  fuses: ["activation"],
  infer: ({ x, kernel }) => ({ y: { shape: [x.shape[0]!, kernel.shape[1]!], dtype: "f32" } }),
  gradient: ({ gradients: { y: dy }, inputs: { x, kernel }, add }) => ({
    x: add(ops.matmul, { a: dy!, b: kernel }, { transposeB: true }).c,
    kernel: add(ops.matmul, { a: x, b: dy! }, { transposeA: true }).c,
  }),
  lower: ({ inputs: { x, kernel }, outputs: { y }, attributes, tile }) => {
    const product = { m: x.shape[0]!, n: kernel.shape[1]!, k: x.shape[1]! };
    return [ops.dispatchMatmul({ ...product, ...attributes }, tile(product), { a: x, b: kernel, c: y })];
  },
});

/** y = tanh(x kernel). */
export function tanhLayer(units: number): Layer {
  return defineLayer({
    type: "TanhLayer",
    variables: ({ input }) => [{ name: "kernel", shape: [input[0]!, units], initializer: "glorotUniform" }],
    call: ({ input: x, variables: { kernel }, add }) =>
      add(ops.activation, { x: add(linear, { x, kernel: kernel! }).y }, { kind: "tanh" }).y,
  });
}

const momentumKernel = defineKernel<{
  g: "read";
  rate: "read";
  momentum_of: "read";
  p: "write";
  v: "write";
}>(/* wgsl */ `
const SIZE: u32 = 1u;
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(0) var<storage, read> rate: array<f32>;
@group(0) @binding(0) var<storage, read> momentum_of: array<f32>;
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(0) var<storage, read_write> v: array<f32>;
@compute @workgroup_size(64)
fn momentum(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < SIZE) {
    v[id.x] = momentum_of[0] * v[id.x] - rate[0] * g[id.x];
    p[id.x] += v[id.x];
  }
}`);

const momentumOp = defineOp({
  name: "momentum",
  inputs: ["p", "v", "g", "rate", "momentum_of"],
  outputs: [],
  infer: () => ({}),
  updates: ["p", "v"],
  lower: ({ inputs }) => [dispatch(momentumKernel, { bind: inputs, ...oneEach(inputs.p.shape) })],
});

/** v := momentum v - rate g; p := p + v. Keras's SGD with momentum. */
export function momentumSgd(learningRate: number, momentum: number): Optimizer {
  return {
    name: "momentumSgd",
    hyperparameters: { learningRate, momentum },
    slots: (shape) => [{ name: "velocity", shape }],
    step: ({ parameter: p, gradient: g, slots: { velocity }, hyperparameter, add }) => {
      const [rate, momentum_of] = [hyperparameter("learningRate"), hyperparameter("momentum")];
      add(momentumOp, { p, v: velocity!, g, rate, momentum_of });
    },
  };
}
