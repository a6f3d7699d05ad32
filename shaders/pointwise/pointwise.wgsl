// pointwise.   y[e] = act(expression(a[e], b[e], ...)), one invocation four elements; y [SIZE]
// `expression` is written by src/ops/pointwise/expression.ts. It loads its operands by `load_a` and so on, which broadcast them.
override SIZE: u32;

@compute @workgroup_size(64)
fn pointwise(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    store_y(e, activate(expression(e, SIZE - e)), SIZE - e);
  }
}
