// winograd_filter_gradient.   dk[i,j,c,o] = sum over p,q of G[p,i] * G[q,j] * du[p,q,c,o]
//                             db[o] = sum over tiles of dm[1,1,t,o], which at the points 1 and 1 is the sum over a tile of dy
// du [POINTS, POINTS, IN_C, OUT_C]   dm [POINTS, POINTS, TILES, OUT_C]   dk [TAPS, TAPS, IN_C, OUT_C]   db [OUT_C]
// One invocation a channel of x and 4 of y; those of the channel past the last make db.
// `kernel` and `bias` take dk and db, or are the parameters, stepped by them: lib/stepped.wgsl.
override HAS_BIAS: bool;

fn bias_gradient(o: u32) -> vec4f {
  var db = vec4f(0.0f);
  for (var t = 0u; t < TILES; t++) {
    db += load_dm(((POINTS + 1u) * TILES + t) * OUT_C + o, OUT_C - o);
  }
  return db;
}

@compute @workgroup_size(64)
fn winograd_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % ((OUT_C + 3u) / 4u) * 4u;
  let c = e / ((OUT_C + 3u) / 4u);
  if (HAS_BIAS) {
    if (c == IN_C) {
      put_bias(o, bias_gradient(o), OUT_C - o);
    }
  }
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
