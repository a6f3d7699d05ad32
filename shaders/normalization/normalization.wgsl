// normalization.   y[p,c] = act(gamma[c] (x[p,c] - mean[c]) / sqrt(variance[c] + EPSILON) + beta[c] + residual[p,c])
// x, y, residual [BATCH, PIXELS, C]   beta [C];   mean, variance and gamma as normalization/lib/statistics.wgsl has them.
// One invocation a block of 4 channels at a run of positions, for which it computes their scale once.
override RUN: u32;
override HAS_BETA: bool;
override HAS_RESIDUAL: bool;

@compute @workgroup_size(64)
fn normalization(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linear_index(workgroup, local);
  let c = i % BLOCKS * 4u;
  let first = i / BLOCKS * RUN;
  if (first >= BATCH * PIXELS) {
    return;
  }
  let by = statistics(c);
  var offset = vec4f(0.0f);
  if (HAS_BETA) {
    offset = load_beta(c, C - c);
  }
  for (var p = first; p < min(first + RUN, BATCH * PIXELS); p++) {
    let e = p * C + c;
    var y = (load_x(e, C - c) - by.center) * by.scale;
    if (HAS_BETA) {
      y += offset;
    }
    if (HAS_RESIDUAL) {
      y += load_residual(e, C - c);
    }
    store_y(e, activate(y), C - c);
  }
}
