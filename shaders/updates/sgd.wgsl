// sgd.   p[e] := update(p[e], g[e]), in place, one invocation four elements; all [SIZE]
// With MOMENTUM: v[e] := update(MOMENTUM v[e], g[e]), and p[e] := p[e] + v[e] or, NESTEROV, update(p[e] + MOMENTUM v[e], g[e]).
// DECAY: p first loses rate DECAY p. Only for updates that are not fused into the kernel that makes g.
override SIZE: u32;
const MOMENTUM: f32 = 0.0f;
const NESTEROV: bool = false;
const DECAY: f32 = 0.0f;

@compute @workgroup_size(64)
fn sgd(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let g = load_g(e, SIZE - e);
    var p = load_p(e, SIZE - e);
    if (DECAY > 0.0f) {
      p = update(p, DECAY * p);
    }
    if (MOMENTUM > 0.0f) {
      let v = update(MOMENTUM * load_v(e, SIZE - e), g);
      store_v(e, v, SIZE - e);
      p = select(p + v, update(p + MOMENTUM * v, g), NESTEROV);
    } else {
      p = update(p, g);
    }
    store_p(e, p, SIZE - e);
  }
}
