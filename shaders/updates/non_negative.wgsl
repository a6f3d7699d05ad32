// non_negative.   p := max(p, 0)   in place, [SIZE]; a NaN stays one. One invocation four elements.
override SIZE: u32;

@compute @workgroup_size(64)
fn non_negative(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    store_p(e, positive_part(load_p(e, SIZE - e)), SIZE - e);
  }
}
