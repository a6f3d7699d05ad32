// conv2d_filter_gradient_sum.   dk[r,o] = sum over slices s, in order, of partial[s,r,o];   db[o] likewise, of the last row
// partial [SLICES, ROWS, OUT_C]   dk [ROWS or, with a bias, one less, OUT_C]   db [OUT_C];   one invocation a row and 4 columns.
// `kernel` and `bias` take dk and db, or are the parameters, stepped by them: lib/stepped.wgsl.
override SLICES: u32;
override ROWS: u32;
override OUT_C: u32;
override HAS_BIAS: bool;

@compute @workgroup_size(64)
fn conv2d_filter_gradient_sum(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % ((OUT_C + 3u) / 4u) * 4u;
  let r = e / ((OUT_C + 3u) / 4u);
  if (r >= ROWS) {
    return;
  }
  var sum = vec4f(0.0f);
  for (var s = 0u; s < SLICES; s++) {
    sum += load_partial((s * ROWS + r) * OUT_C + o, OUT_C - o);
  }
  if (HAS_BIAS) {
    if (r == ROWS - 1u) {
      put_bias(o, sum, OUT_C - o);
      return;
    }
  }
  put_kernel(r * OUT_C + o, sum, OUT_C - o);
}
