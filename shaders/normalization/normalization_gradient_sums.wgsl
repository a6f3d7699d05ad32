// normalization_gradient_sums.   sum over p of dy[p,c], and of dy[p,c] (source[p,c] - mean[c]) / sqrt(variance[c] + EPSILON)
// dy, source [BATCH, PIXELS, C];   p runs over the positions of the rows in use, by the end of the loop.
// Both go to normalization/lib/gradient_sums.wgsl; of several slices to partial [SLICES, 2, C]. A workgroup has a slice of ACROSS blocks.

@compute @workgroup_size(64)
fn normalization_gradient_sums(
  @builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let c = channel_of(workgroup, lane);
  let slice = workgroup.y;
  let in_use = positions_in_use();
  var sums = mat2x4f();
  if (c < C) {
    let by = statistics(c);
    for (var p = slice * LANES + lane / ACROSS; p < in_use; p += SLICES * LANES) {
      let dy = incoming(p * C + c, C - c);
      sums += mat2x4f(dy, dy * ((load_source(p * C + c, C - c) - by.center) * by.inverse));
    }
  }
  sums = add_lanes(sums, lane);
  if (stores(c, lane)) {
    if (SLICES == 1u) {
      put_sums(c, sums);
    } else {
      store_partial(slice * 2u * C + c, sums[0], C - c);
      store_partial((slice * 2u + 1u) * C + c, sums[1], C - c);
    }
  }
}
