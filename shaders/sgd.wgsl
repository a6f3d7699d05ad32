// sgd.   p[e] := update(p[e], g[e]), in place, one invocation four elements; both [SIZE]
// Only where the update cannot ride in the kernel that makes g.
const SIZE: u32 = 1u;

@compute @workgroup_size(64)
fn sgd(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    store_p(e, update(load_p(e, SIZE - e), load_g(e, SIZE - e)), SIZE - e);
  }
}
