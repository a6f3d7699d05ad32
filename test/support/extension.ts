import { defineKernel, defineOp, dispatch, type Layer, type Optimizer } from "../../src/index.ts";

/**
 * What a user adds without touching the library: an op with its kernel and its gradient, a layer of two branches, an
 * optimizer with state. Everything comes through the doors that the library's own ops, layers and optimizers use.
 */

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

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
  infer: ([x]) => [x!],
  gradient: ({ inputs: [x], gradients: [dY], add }) => add("squareGradient", [x!, dY!]),
  lower: ({ inputs: [x], outputs: [y] }) => [
    dispatch(squareKernel, {
      bind: { x: x!.id, y: y!.id },
      constants: { SIZE: size(x!.shape) },
      workgroups: [Math.ceil(size(x!.shape) / 64), 1, 1],
    }),
  ],
});

const squareGradient = defineOp({
  name: "squareGradient",
  infer: ([x]) => [x!],
  lower: ({ inputs: [x, dY], outputs: [dX] }) => [
    dispatch(squareGradientKernel, {
      bind: { x: x!.id, dy: dY!.id, dx: dX!.id },
      constants: { SIZE: size(x!.shape) },
      workgroups: [Math.ceil(size(x!.shape) / 64), 1, 1],
    }),
  ],
});

/** y = x kernel + x^2: two branches from one input, joined again. */
export function squareResidual(): Layer {
  return {
    type: "SquareResidual",
    ops: [square, squareGradient],
    parameters: ({ input }) => [{ name: "kernel", shape: [input[0]!, input[0]!], initializer: "glorotUniform" }],
    call: ({ input, parameters: [kernel], add }) => {
      const [linear] = add("dense", [input, kernel!]);
      const [squared] = add("square", [input]);
      return add("add", [linear!, squared!])[0]!;
    },
  };
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
  infer: () => [],
  updates: () => [0, 1],
  lower: ({ inputs: [p, v, g, rate, momentum] }) => [
    dispatch(momentumKernel, {
      bind: { p: p!.id, v: v!.id, g: g!.id, rate: rate!.id, momentum_of: momentum!.id },
      constants: { SIZE: size(p!.shape) },
      workgroups: [Math.ceil(size(p!.shape) / 64), 1, 1],
    }),
  ],
});

/** v := momentum v - rate g; p := p + v. Keras's SGD with momentum. */
export function momentumSgd(learningRate: number, momentum: number): Optimizer {
  return {
    name: "momentumSgd",
    ops: [momentumOp],
    hyperparameters: { learningRate, momentum },
    slots: (shape) => [{ name: "velocity", shape }],
    step: ({ parameter, gradient, slots: [velocity], hyperparameter, add }) => {
      add("momentum", [parameter, velocity!, gradient, hyperparameter("learningRate"), hyperparameter("momentum")]);
    },
  };
}
