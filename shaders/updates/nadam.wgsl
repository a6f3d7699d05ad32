// nadam.   m := m + (g - m) GAIN_1, v := v + (g^2 - v) GAIN_2, p := p - rate (factors_0 m + factors_1 g) / (sqrt(v factors_2) + EPSILON)
// in place; p, g [SIZE]; GAIN = 1 - beta; factors [3] of nadam_factors; moments: m and v, one after the other.
// DECAY: p first loses rate DECAY p. One invocation four elements.
override SIZE: u32;
const GAIN_1: f32 = 0.1f;
const GAIN_2: f32 = 0.001f;
const EPSILON: f32 = 0.0f;
const DECAY: f32 = 0.0f;

@group(0) @binding(0) var<storage, read> rate: array<f32>;
@group(0) @binding(0) var<storage, read> factors: array<f32>;

@compute @workgroup_size(64)
fn nadam(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let g = load_g(e, SIZE - e);
    var m = load_moments(e, SIZE - e);
    var v = load_moments(SIZE + e, SIZE - e);
    m += (g - m) * GAIN_1;
    v += (g * g - v) * GAIN_2;
    store_moments(e, m, SIZE - e);
    store_moments(SIZE + e, v, SIZE - e);
    var p = load_p(e, SIZE - e);
    if (DECAY > 0.0f) {
      p -= p * DECAY * rate[0];
    }
    store_p(e, p - rate[0] * (factors[0] * m + factors[1] * g) / (sqrt(v * factors[2]) + EPSILON), SIZE - e);
  }
}
