// activation_sum_gradient.   dx[e] = (a[e] + b[e]) * act'(x[e]), by the output y = act(x); one invocation four elements; all [SIZE]
// activation_gradient where an activation is read twice, as before a residual connection.
override SIZE: u32;

@compute @workgroup_size(64)
fn activation_sum_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let dy = load_a(e, SIZE - e) + load_b(e, SIZE - e);
    store_dx(e, gradient_through(dy, load_y(e, SIZE - e)), SIZE - e);
  }
}
