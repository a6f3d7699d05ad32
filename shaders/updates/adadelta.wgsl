// adadelta.   a := RHO a + GAIN g^2, d := g sqrt(b + EPSILON) / sqrt(a + EPSILON), b := RHO b + GAIN d^2, p := p - rate d   in place
// p, g [SIZE]; GAIN = 1 - RHO; averages: a and b, one after the other. DECAY: p first loses rate DECAY p. One invocation four elements.
override SIZE: u32;
const RHO: f32 = 0.9f;
const GAIN: f32 = 0.1f;
const EPSILON: f32 = 0.0f;
const DECAY: f32 = 0.0f;

@group(0) @binding(0) var<storage, read> rate: array<f32>;

@compute @workgroup_size(64)
fn adadelta(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let g = load_g(e, SIZE - e);
    let a = RHO * load_averages(e, SIZE - e) + GAIN * g * g;
    let before = load_averages(SIZE + e, SIZE - e);
    let d = g * sqrt(before + EPSILON) / sqrt(a + EPSILON);
    store_averages(e, a, SIZE - e);
    store_averages(SIZE + e, RHO * before + GAIN * d * d, SIZE - e);
    var p = load_p(e, SIZE - e);
    if (DECAY > 0.0f) {
      p -= p * DECAY * rate[0];
    }
    store_p(e, p - rate[0] * d, SIZE - e);
  }
}
