// activation.   y[e] = act(x[e]), one invocation four elements; x, y [SIZE]
// Only for activations that are not fused into the kernel that makes x.
override SIZE: u32;

@compute @workgroup_size(64)
fn activation(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    store_y(e, activate(load_x(e, SIZE - e)), SIZE - e);
  }
}
