import { defineKernel, defineOp, dispatch, type Optimizer, ops, typed } from "../../src/index.ts";

/**
 * Optimizers of a user's, through the doors of the package alone: slots that begin at another number than 0, nodes that run once a
 * step, and a variable of the optimizer itself.
 */

/** What calls a kernel with one invocation a number of the parameter. */
function oneEach({ shape }: { readonly shape: readonly number[] }) {
  const SIZE = shape.reduce((a, b) => a * b, 1);
  return { constants: { SIZE }, workgroups: [Math.ceil(SIZE / 64), 1, 1] } as const;
}

const accumulateKernel = defineKernel<{ g: "read"; rate: "read"; p: "write"; s: "write" }>(/* wgsl */ `
const SIZE: u32 = 1u;
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(0) var<storage, read> rate: array<f32>;
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(0) var<storage, read_write> s: array<f32>;
@compute @workgroup_size(64)
fn own_adagrad(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < SIZE) {
    s[id.x] += g[id.x] * g[id.x];
    p[id.x] -= rate[0] * g[id.x] / sqrt(s[id.x] + 1e-7f);
  }
}`);

const accumulate = defineOp({
  name: "test/ownAdagrad",
  inputs: ["p", "g", "rate", "s"],
  outputs: [],
  infer: () => ({}),
  updates: ["p", "s"],
  lower: ({ inputs }) => [dispatch(accumulateKernel, { bind: inputs, ...oneEach(inputs.p) })],
});

/** s := s + g^2, p := p - rate g / sqrt(s + 1e-7). The sums s begin at `initial`. */
export function ownAdagrad(learningRate: number, initial: number): Optimizer {
  return {
    name: "ownAdagrad",
    hyperparameters: { learningRate },
    slots: (shape) => [{ name: "accumulator", shape, initial }],
    step: ({ parameter: p, gradient: g, slots: { accumulator }, hyperparameter, add }) => {
      add(accumulate, { p, g, rate: hyperparameter("learningRate"), s: accumulator! });
    },
  };
}

const decayKernel = defineKernel<{ state: "read"; initial: "read"; rate: "write" }>(/* wgsl */ `
const LOG_FACTOR: f32 = 0.0f;
@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(0) var<storage, read> initial: array<f32>;
@group(0) @binding(0) var<storage, read_write> rate: array<f32>;
@compute @workgroup_size(1)
fn decay() {
  rate[0] = initial[0] * exp(LOG_FACTOR * f32(state[0]));
}`);

const decay = defineOp({
  name: "test/decay",
  inputs: ["state", "initial"],
  outputs: ["rate"],
  attributes: typed<{ readonly factor: number }>(),
  infer: () => ({ rate: { shape: [1], dtype: "f32" } }),
  lower: ({ inputs, outputs, attributes: { factor } }) => [
    dispatch(decayKernel, {
      bind: { ...inputs, ...outputs },
      constants: { LOG_FACTOR: Math.log(factor) },
      workgroups: [1, 1, 1],
    }),
  ],
});

/** p := p - rate g, where the rate is learningRate * factor^t after t steps. */
export function decayingSgd(learningRate: number, factor: number): Optimizer {
  return {
    name: "decayingSgd",
    config: { factor },
    hyperparameters: { learningRate },
    begin: ({ state, hyperparameter, add }) => ({
      rate: add(decay, { state, initial: hyperparameter("learningRate") }, { factor }).rate,
    }),
    step: ({ parameter: p, gradient: g, shared, add }) => {
      add(ops.sgd, { p, g, rate: shared.rate! });
    },
  };
}

export const NADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };

const factorsKernel = defineKernel<{ state: "read"; product: "write"; factors: "write" }>(/* wgsl */ `
const BETA_1: f32 = 0.0f;
const LOG_2: f32 = 0.0f;
@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(0) var<storage, read_write> product: array<f32>;
@group(0) @binding(0) var<storage, read_write> factors: array<f32>;
fn momentum(t: f32) -> f32 {
  return BETA_1 * (1.0f - 0.5f * exp(log(0.96f) * t));
}
@compute @workgroup_size(1)
fn nadam_factors() {
  let t = f32(state[0] + 1u);
  let now = product[0] * momentum(t);
  product[0] = now;
  factors[0] = momentum(t + 1.0f) / (1.0f - now * momentum(t + 1.0f));
  factors[1] = (1.0f - momentum(t)) / (1.0f - now);
  factors[2] = 1.0f / (1.0f - exp(LOG_2 * t));
}`);

const nadamFactors = defineOp({
  name: "test/nadamFactors",
  inputs: ["state", "product"],
  outputs: ["factors"],
  infer: () => ({ factors: { shape: [3], dtype: "f32" } }),
  updates: ["product"],
  lower: ({ inputs, outputs }) => [
    dispatch(factorsKernel, {
      bind: { ...inputs, ...outputs },
      constants: { BETA_1: NADAM.beta1, LOG_2: Math.log(NADAM.beta2) },
      workgroups: [1, 1, 1],
    }),
  ],
});

const nadamKernel = defineKernel<{
  g: "read";
  rate: "read";
  factors: "read";
  p: "write";
  m: "write";
  v: "write";
}>(/* wgsl */ `
const SIZE: u32 = 1u;
const GAIN_1: f32 = 0.0f;
const GAIN_2: f32 = 0.0f;
const EPSILON: f32 = 0.0f;
@group(0) @binding(0) var<storage, read> g: array<f32>;
@group(0) @binding(0) var<storage, read> rate: array<f32>;
@group(0) @binding(0) var<storage, read> factors: array<f32>;
@group(0) @binding(0) var<storage, read_write> p: array<f32>;
@group(0) @binding(0) var<storage, read_write> m: array<f32>;
@group(0) @binding(0) var<storage, read_write> v: array<f32>;
@compute @workgroup_size(64)
fn nadam(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i < SIZE) {
    m[i] += GAIN_1 * (g[i] - m[i]);
    v[i] += GAIN_2 * (g[i] * g[i] - v[i]);
    p[i] -= rate[0] * (factors[0] * m[i] + factors[1] * g[i]) / (sqrt(v[i] * factors[2]) + EPSILON);
  }
}`);

const nadamStep = defineOp({
  name: "test/nadam",
  inputs: ["p", "g", "rate", "factors", "m", "v"],
  outputs: [],
  infer: () => ({}),
  updates: ["p", "m", "v"],
  lower: ({ inputs }) => {
    const { constants, workgroups } = oneEach(inputs.p);
    const { beta1, beta2, epsilon } = NADAM;
    const more = { GAIN_1: 1 - beta1, GAIN_2: 1 - beta2, EPSILON: epsilon };
    return [dispatch(nadamKernel, { bind: inputs, constants: { ...constants, ...more }, workgroups })];
  },
});

/** Nadam, as Keras has it (`keras/src/optimizers/nadam.py`). It keeps the product of all momenta so far, once for all parameters. */
export function ownNadam(learningRate: number): Optimizer {
  return {
    name: "ownNadam",
    hyperparameters: { learningRate },
    variables: () => [{ name: "product", shape: [1], initial: 1 }],
    slots: (shape) => [
      { name: "momentum", shape },
      { name: "velocity", shape },
    ],
    begin: ({ state, variables: { product }, add }) => ({
      factors: add(nadamFactors, { state, product: product! }).factors,
    }),
    step: ({ parameter: p, gradient: g, slots: { momentum, velocity }, shared, hyperparameter, add }) => {
      const rate = hyperparameter("learningRate");
      add(nadamStep, { p, g, rate, factors: shared.factors!, m: momentum!, v: velocity! });
    },
  };
}
