// winograd_filter_gradient.   dk[i,j,c,o] = sum over p,q of G[p,i] * G[q,j] * du[p,q,c,o]
// du [POINTS, POINTS, IN_C, OUT_C]   dk [TAPS, TAPS, IN_C, OUT_C]
// One invocation, or LINES of them (conv2d/lib/lines.wgsl), a channel of x and CHANNELS of y. `kernel` takes dk,
// or is the parameter, stepped by it (updates/lib/stepped.wgsl).
const BLOCKS: u32 = (OUT_C + CHANNELS - 1u) / CHANNELS;

fn column_of(c: u32, q: u32, o: u32) -> Coefficients_taps {
  var column: Points;
  // unroll
  for (var p = 0u; p < POINTS; p++) {
    column[p] = load_du(((p * POINTS + q) * IN_C + c) * OUT_C + o, OUT_C - o);
  }
  return evaluate_adjoint_taps(weighted(column));
}

fn put_row(i: u32, c: u32, o: u32, row: Points) {
  let dk = evaluate_adjoint_taps(weighted(row));
  // unroll
  for (var j = 0u; j < TAPS; j++) {
    put_kernel(((i * TAPS + j) * IN_C + c) * OUT_C + o, dk[j], OUT_C - o);
  }
}

@compute @workgroup_size(ITEMS, LINES)
fn winograd_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let e = item_index(workgroup, local);
  let o = e % BLOCKS * CHANNELS;
  let c = e / BLOCKS;
  if (LINES == 1u) {
    if (c >= IN_C) {
      return;
    }
    var columns: array<Coefficients_taps, POINTS>;
    for (var q = 0u; q < POINTS; q++) {
      columns[q] = column_of(c, q, o);
    }
    // unroll
    for (var i = 0u; i < TAPS; i++) {
      var row: Points;
      // unroll
      for (var q = 0u; q < POINTS; q++) {
        row[q] = columns[q][i];
      }
      put_row(i, c, o, row);
    }
  } else {
    let column = column_of(c, local.y, o);
    // unroll
    for (var i = 0u; i < TAPS; i++) {
      hand_on(i, local.y, local.x, column[i]);
    }
    workgroupBarrier();
    if ((c >= IN_C) | (local.y >= TAPS)) {
      return;
    }
    var row: Points;
    // unroll
    for (var q = 0u; q < POINTS; q++) {
      row[q] = taken(local.y, q, local.x);
    }
    put_row(local.y, c, o, row);
  }
}
