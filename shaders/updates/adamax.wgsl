// adamax.   m := m + (g - m) GAIN_1, u := max(BETA_2 u, |g|), p := p - rate / (1 - beta_1^t) m / (u + EPSILON)   in place; p, g [SIZE]
// t the number of this step, from 1; GAIN_1 = 1 - beta_1, LOG_1 = ln beta_1; moments: m and u, one after the other.
// DECAY: p first loses rate DECAY p. One invocation four elements.
override SIZE: u32;
const GAIN_1: f32 = 0.1f;
const LOG_1: f32 = 0.0f;
const BETA_2: f32 = 0.0f;
const EPSILON: f32 = 0.0f;
const DECAY: f32 = 0.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> rate: array<f32>;

@compute @workgroup_size(64)
fn adamax(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let g = load_g(e, SIZE - e);
    let alpha = rate[0] / one_minus_exp(f32(state.step + 1u) * LOG_1);
    var m = load_moments(e, SIZE - e);
    m += (g - m) * GAIN_1;
    let kept = BETA_2 * load_moments(SIZE + e, SIZE - e);
    let size = abs(g);
    let u = select(kept, size, exceeds(size, kept));
    store_moments(e, m, SIZE - e);
    store_moments(SIZE + e, u, SIZE - e);
    var p = load_p(e, SIZE - e);
    if (DECAY > 0.0f) {
      p -= p * DECAY * rate[0];
    }
    store_p(e, p - alpha * m / (u + EPSILON), SIZE - e);
  }
}
