// nadam_factors.   product := product u(t), factors := u(t + 1) / (1 - product u(t + 1)), (1 - u(t)) / (1 - product), 1 / (1 - beta_2^t)
// u(t) = BETA_1 (1 - 0.96^t / 2), t the number of this step, from 1; LOG_2 = ln beta_2; product [1], in place; factors [3]
// One invocation in all.
const BETA_1: f32 = 0.9f;
const LOG_2: f32 = 0.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read_write> product: array<f32>;
@group(0) @binding(0) var<storage, read_write> factors: array<f32>;

// ln 0.96 = -0.0408219945
fn momentum_at(t: f32) -> f32 {
  return BETA_1 * (0.5f + 0.5f * one_minus_exp(t * -0.0408219945f));
}

@compute @workgroup_size(1)
fn nadam_factors() {
  let t = f32(state.step + 1u);
  let now = momentum_at(t);
  let next = momentum_at(t + 1.0f);
  let all = product[0] * now;
  product[0] = all;
  factors[0] = next / (1.0f - all * next);
  factors[1] = (1.0f - now) / (1.0f - all);
  factors[2] = 1.0f / one_minus_exp(t * LOG_2);
}
