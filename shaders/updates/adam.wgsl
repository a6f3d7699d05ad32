// adam.   m := m + (g - m) GAIN_1, v := v + (g^2 - v) GAIN_2, p := p - alpha m / (sqrt(v) + EPSILON)   in place; p, g [SIZE]
// alpha = rate sqrt(1 - beta_2^t) / (1 - beta_1^t), t the number of this step, from 1; GAIN = 1 - beta, LOG = ln beta
// AMSGRAD: h := max(h, v) replaces v in p's step. DECAY: p first loses rate DECAY p. One invocation four elements.
// moments: m, v and, with AMSGRAD, h, one after the other in one buffer, so that more updates share a dispatch.
override SIZE: u32;
const GAIN_1: f32 = 0.1f;
const GAIN_2: f32 = 0.001f;
const LOG_1: f32 = 0.0f;
const LOG_2: f32 = 0.0f;
const EPSILON: f32 = 0.0f;
override AMSGRAD: bool;
const DECAY: f32 = 0.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> rate: array<f32>;

@compute @workgroup_size(64)
fn adam(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let t = f32(state.step + 1u);
    let alpha = rate[0] * sqrt(one_minus_exp(t * LOG_2)) / one_minus_exp(t * LOG_1);
    let g = load_g(e, SIZE - e);
    var m = load_moments(e, SIZE - e);
    var v = load_moments(SIZE + e, SIZE - e);
    var p = load_p(e, SIZE - e);
    m += (g - m) * GAIN_1;
    v += (g * g - v) * GAIN_2;
    store_moments(e, m, SIZE - e);
    store_moments(SIZE + e, v, SIZE - e);
    if (AMSGRAD) {
      let h = load_moments(2u * SIZE + e, SIZE - e);
      v = select(h, v, exceeds(v, h));
      store_moments(2u * SIZE + e, v, SIZE - e);
    }
    if (DECAY > 0.0f) {
      p -= p * DECAY * rate[0];
    }
    store_p(e, p - alpha * m / (sqrt(v) + EPSILON), SIZE - e);
  }
}
