// adagrad.   s := s + g^2, p := p - rate g / sqrt(s + OFFSET)   in place, all [SIZE], one invocation four elements
override SIZE: u32;
const OFFSET: f32 = 0.1f;

@group(0) @binding(0) var<storage, read> rate: array<f32>;

@compute @workgroup_size(64)
fn adagrad(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let g = load_g(e, SIZE - e);
    let s = load_s(e, SIZE - e) + g * g;
    store_s(e, s, SIZE - e);
    store_p(e, load_p(e, SIZE - e) - rate[0] * g / sqrt(s + OFFSET), SIZE - e);
  }
}
