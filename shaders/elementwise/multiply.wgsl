// multiply.   c[e] = a[e] * b[e], one invocation four elements; all [SIZE]
override SIZE: u32;

@compute @workgroup_size(64)
fn multiply(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    store_c(e, load_a(e, SIZE - e) * load_b(e, SIZE - e), SIZE - e);
  }
}
