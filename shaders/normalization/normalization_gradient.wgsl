// normalization_gradient.   dx[p,c] = act'(in[p,c]) * scale[c] * dy[p,c]     scale = gamma / sqrt(variance + EPSILON)
// OF_BATCH: mean and variance are those of `source`, and the gradient goes through them too:
// dx[p,c] = act'(in[p,c]) * scale[c] * (dy[p,c] - means[0,c] - means[1,c] (source[p,c] - mean[c]) / sqrt(variance[c] + EPSILON))
// in the rows in use, and 0 in the others.   dy, source, in, dx [BATCH, PIXELS, C]   means [2, C], of normalization_gradient_sums
// GRADIENT_ACTIVATION: `in` is the output of the activation below; IN_IS_SOURCE: it is `source`.
// One invocation a block of 4 channels at a run of positions, for which it computes their scale once.
override RUN: u32;
override IN_IS_SOURCE: bool;

@compute @workgroup_size(64)
fn normalization_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let i = linear_index(workgroup, local);
  let c = i % BLOCKS * 4u;
  let left = C - c;
  let first = i / BLOCKS * RUN;
  if (first >= BATCH * PIXELS) {
    return;
  }
  let by = statistics(c);
  var through = mat2x4f(); // what goes through the mean, and through the deviation
  if (OF_BATCH) {
    through = mat2x4f(load_means(c, left), load_means(C + c, left));
  }
  for (var p = first; p < min(first + RUN, BATCH * PIXELS); p++) {
    let e = p * C + c;
    var dx = incoming(e, left);
    if (OF_BATCH) {
      dx -= through[0] + (load_source(e, left) - by.center) * by.inverse * through[1];
    }
    dx *= by.scale;
    if (GRADIENT_ACTIVATION != 0u) {
      if (IN_IS_SOURCE) {
        dx = gradient_through(dx, load_source(e, left));
      } else {
        dx = gradient_through(dx, load_in(e, left));
      }
    }
    if (OF_BATCH) {
      dx = select(vec4f(0.0f), dx, p < positions_in_use());
    }
    store_dx(e, dx, left);
  }
}
