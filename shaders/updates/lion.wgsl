// lion.   p := p - rate sign(BETA_1 m + GAIN_1 g), m := BETA_2 m + GAIN_2 g   in place, all [SIZE]; GAIN = 1 - BETA
// sign(0) is 0, the sign of a NaN a NaN. DECAY: p first loses rate DECAY p. One invocation four elements.
override SIZE: u32;
const BETA_1: f32 = 0.9f;
const BETA_2: f32 = 0.99f;
const GAIN_1: f32 = 0.1f;
const GAIN_2: f32 = 0.01f;
const DECAY: f32 = 0.0f;

@group(0) @binding(0) var<storage, read> rate: array<f32>;

@compute @workgroup_size(64)
fn lion(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let g = load_g(e, SIZE - e);
    let m = load_m(e, SIZE - e);
    let mix = BETA_1 * m + GAIN_1 * g;
    store_m(e, BETA_2 * m + GAIN_2 * g, SIZE - e);
    var p = load_p(e, SIZE - e);
    if (DECAY > 0.0f) {
      p -= p * DECAY * rate[0];
    }
    store_p(e, p - rate[0] * carrying_nan(mix, sign(mix)), SIZE - e);
  }
}
