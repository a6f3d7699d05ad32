// winograd_filter.   u[p,q,c,o] = sum over i,j of G[p,i] * G[q,j] * k[i,j,c,o]
// k [TAPS, TAPS, IN_C, OUT_C]   u [POINTS, POINTS, IN_C, OUT_C]
// One invocation a channel of x and CHANNELS of y.
const BLOCKS: u32 = (OUT_C + CHANNELS - 1u) / CHANNELS;

@compute @workgroup_size(64)
fn winograd_filter(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % BLOCKS * CHANNELS;
  let c = e / BLOCKS;
  if (c >= IN_C) {
    return;
  }
  var rows: array<Points, TAPS>;
  // unroll
  for (var i = 0u; i < TAPS; i++) {
    var row: Coefficients_taps;
    // unroll
    for (var j = 0u; j < TAPS; j++) {
      row[j] = load_k(((i * TAPS + j) * IN_C + c) * OUT_C + o, OUT_C - o);
    }
    rows[i] = weighted(evaluate_taps(row));
  }
  for (var q = 0u; q < POINTS; q++) {
    var column: Coefficients_taps;
    // unroll
    for (var i = 0u; i < TAPS; i++) {
      column[i] = rows[i][q];
    }
    let u = weighted(evaluate_taps(column));
    // unroll
    for (var p = 0u; p < POINTS; p++) {
      store_u(((p * POINTS + q) * IN_C + c) * OUT_C + o, u[p], OUT_C - o);
    }
  }
}
