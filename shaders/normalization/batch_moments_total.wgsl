// batch_moments_total.   The moments of all slices, out of each slice's own m, q and number of positions k (Chan's formula):
// mean[c] = sum over s of k m / n     variance[c] = sum over s of (q + k (m - mean[c])^2) / n
// partial [SLICES, 2, C]: m, q   to normalization/lib/moments.wgsl;   a workgroup has one block of channels.

fn slices_about(near: vec4f, c: u32, lane: u32, in_use: u32) -> mat2x4f {
  var sums = mat2x4f();
  for (var s = lane; s < SLICES; s += 64u) {
    let deviation = load_partial(s * 2u * C + c, C - c) - near;
    let weighted = f32(positions_of(s, in_use)) * deviation;
    sums += mat2x4f(weighted, load_partial((s * 2u + 1u) * C + c, C - c) + weighted * deviation);
  }
  return sums;
}

@compute @workgroup_size(64)
fn batch_moments_total(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let c = channel_of(workgroup, lane);
  let in_use = positions_in_use();
  let near = add_lanes(slices_about(vec4f(0.0f), c, lane, in_use), lane)[0] / f32(in_use);
  let sums = add_lanes(slices_about(near, c, lane, in_use), lane);
  if (stores(c, lane)) {
    put_moments(c, corrected(near, sums[0] / f32(in_use)), sums[1] / f32(in_use));
  }
}
