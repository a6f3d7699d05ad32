// activation_gradient.   dx[e] = dy[e] * act'(x[e]), by the output y = act(x); one invocation four elements; all [SIZE]
// Only for derivatives that are not fused into the kernel that makes dy.
override SIZE: u32;

@compute @workgroup_size(64)
fn activation_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    store_dx(e, gradient_through(load_dy(e, SIZE - e), load_y(e, SIZE - e)), SIZE - e);
  }
}
