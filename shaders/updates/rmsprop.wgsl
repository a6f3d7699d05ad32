// rmsprop.   v := RHO v + GAIN g^2, p := p - rate g / sqrt(v + EPSILON)   in place, all [SIZE]; GAIN = 1 - RHO
// CENTERED: a := RHO a + GAIN g, and v - a^2 replaces v in p's step. MOMENTUM: m := MOMENTUM m + that step, and p := p - m.
// DECAY: p first loses rate DECAY p. One invocation four elements.
override SIZE: u32;
const RHO: f32 = 0.9f;
const GAIN: f32 = 0.1f;
const EPSILON: f32 = 0.0f;
override CENTERED: bool;
const MOMENTUM: f32 = 0.0f;
const DECAY: f32 = 0.0f;

@group(0) @binding(0) var<storage, read> rate: array<f32>;

@compute @workgroup_size(64)
fn rmsprop(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let g = load_g(e, SIZE - e);
    var v = RHO * load_v(e, SIZE - e) + GAIN * g * g;
    store_v(e, v, SIZE - e);
    if (CENTERED) {
      let a = RHO * load_a(e, SIZE - e) + GAIN * g;
      store_a(e, a, SIZE - e);
      // A variance of 0 must not round to less.
      v = positive_part(v - a * a);
    }
    var change = rate[0] * g / sqrt(v + EPSILON);
    if (MOMENTUM > 0.0f) {
      change += MOMENTUM * load_m(e, SIZE - e);
      store_m(e, change, SIZE - e);
    }
    var p = load_p(e, SIZE - e);
    if (DECAY > 0.0f) {
      p -= p * DECAY * rate[0];
    }
    store_p(e, p - change, SIZE - e);
  }
}
