// batch_moments.   mean[c] = sum over p of x[p,c] / n     variance[c] = sum over p of (x[p,c] - mean[c])^2 / n
// x [BATCH, PIXELS, C];   p runs over the n positions of the rows in use, by the end of the loop.
// Two passes, so that a mean that is large beside the deviations costs no digits. Both go to normalization/lib/moments.wgsl.
// Of several slices each leaves its own in partial [SLICES, 2, C]: mean, and the sum of squares. A workgroup has a slice of ACROSS blocks.

fn sums_about(near: vec4f, c: u32, slice: u32, lane: u32, in_use: u32) -> mat2x4f {
  var sums = mat2x4f();
  if (c < C) {
    for (var p = slice * LANES + lane / ACROSS; p < in_use; p += SLICES * LANES) {
      let deviation = load_x(p * C + c, C - c) - near;
      sums += mat2x4f(deviation, deviation * deviation);
    }
  }
  return sums;
}

@compute @workgroup_size(64)
fn batch_moments(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let c = channel_of(workgroup, lane);
  let slice = workgroup.y;
  let in_use = positions_in_use();
  // A short batch may leave a slice without any.
  let count = f32(max(positions_of(slice, in_use), 1u));
  let near = add_lanes(sums_about(vec4f(0.0f), c, slice, lane, in_use), lane)[0] / count;
  let sums = add_lanes(sums_about(near, c, slice, lane, in_use), lane);
  let mean = corrected(near, sums[0] / count);
  if (stores(c, lane)) {
    if (SLICES == 1u) {
      put_moments(c, mean, sums[1] / count);
    } else {
      store_partial(slice * 2u * C + c, mean, C - c);
      store_partial((slice * 2u + 1u) * C + c, sums[1], C - c);
    }
  }
}
