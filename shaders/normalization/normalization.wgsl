// normalization.   y[p,c] = act(gamma[c] (x[p,c] - mean[c]) / sqrt(variance[c] + EPSILON) + beta[c] + residual[p,c])
// x, y, residual [BATCH, PIXELS, C]   beta [C];   mean, variance and gamma as normalization/lib/statistics.wgsl has them.
// One invocation a block of 4 channels at a position.
override HAS_BETA: bool;
override HAS_RESIDUAL: bool;

@compute @workgroup_size(64)
fn normalization(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linear_index(workgroup, local);
  if (i >= BATCH * PIXELS * BLOCKS) {
    return;
  }
  let c = i % BLOCKS * 4u;
  let e = i / BLOCKS * C + c;
  let by = statistics(c);
  var y = (load_x(e, C - c) - by.center) * by.scale;
  if (HAS_BETA) {
    y += load_beta(c, C - c);
  }
  if (HAS_RESIDUAL) {
    y += load_residual(e, C - c);
  }
  store_y(e, activate(y), C - c);
}
