// winograd_filter_gradient.   dk[i,j,c,o] = sum over p,q of G[p,i] * G[q,j] * du[p,q,c,o]
// du [POINTS, POINTS, IN_C, OUT_C]   dk [TAPS, TAPS, IN_C, OUT_C]
// One invocation a channel of x and CHANNELS of y. `kernel` takes dk, or is the parameter, stepped by it: lib/stepped.wgsl.
const BLOCKS: u32 = (OUT_C + CHANNELS - 1u) / CHANNELS;

@compute @workgroup_size(64)
fn winograd_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % BLOCKS * CHANNELS;
  let c = e / BLOCKS;
  if (c >= IN_C) {
    return;
  }
  var columns: array<Coefficients_taps, POINTS>;
  for (var q = 0u; q < POINTS; q++) {
    var column: Points;
    // unroll
    for (var p = 0u; p < POINTS; p++) {
      column[p] = load_du(((p * POINTS + q) * IN_C + c) * OUT_C + o, OUT_C - o);
    }
    columns[q] = evaluate_adjoint_taps(weighted(column));
  }
  // unroll
  for (var i = 0u; i < TAPS; i++) {
    var row: Points;
    // unroll
    for (var q = 0u; q < POINTS; q++) {
      row[q] = columns[q][i];
    }
    let dk = evaluate_adjoint_taps(weighted(row));
    // unroll
    for (var j = 0u; j < TAPS; j++) {
      put_kernel(((i * TAPS + j) * IN_C + c) * OUT_C + o, dk[j], OUT_C - o);
    }
  }
}
