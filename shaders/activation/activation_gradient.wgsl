// activation_gradient.   dx[e] = (dy[e] + other[e]) * act'(x[e]), by the output y = act(x); one invocation four elements; all [SIZE]
// Only for derivatives that are not fused into the kernel that makes dy.
override SIZE: u32;
override HAS_OTHER: bool;

@compute @workgroup_size(64)
fn activation_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    var dy = load_dy(e, SIZE - e);
    if (HAS_OTHER) {
      dy += load_other(e, SIZE - e);
    }
    store_dx(e, gradient_through(dy, load_y(e, SIZE - e)), SIZE - e);
  }
}
