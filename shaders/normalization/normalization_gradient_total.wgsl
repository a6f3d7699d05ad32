// normalization_gradient_total.   The sums of all slices of normalization_gradient_sums.
// partial [SLICES, 2, C]   to normalization/lib/gradient_sums.wgsl;   a workgroup has one block of channels.

@compute @workgroup_size(64)
fn normalization_gradient_total(
  @builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  let c = channel_of(workgroup, lane);
  var sums = mat2x4f();
  for (var s = lane; s < SLICES; s += 64u) {
    sums += mat2x4f(load_partial(s * 2u * C + c, C - c), load_partial((s * 2u + 1u) * C + c, C - c));
  }
  sums = add_lanes(sums, lane);
  if (stores(c, lane)) {
    put_sums(c, sums);
  }
}
