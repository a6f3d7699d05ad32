// adagrad.   s := s + g^2, p := p - rate g / sqrt(s + OFFSET)   in place, all [SIZE], one invocation four elements
// DECAY: p first loses rate DECAY p.
override SIZE: u32;
const OFFSET: f32 = 0.1f;
const DECAY: f32 = 0.0f;

@group(0) @binding(0) var<storage, read> rate: array<f32>;

@compute @workgroup_size(64)
fn adagrad(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let g = load_g(e, SIZE - e);
    let s = load_s(e, SIZE - e) + g * g;
    store_s(e, s, SIZE - e);
    var p = load_p(e, SIZE - e);
    if (DECAY > 0.0f) {
      p -= p * DECAY * rate[0];
    }
    store_p(e, p - rate[0] * g / sqrt(s + OFFSET), SIZE - e);
  }
}
