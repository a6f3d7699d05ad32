// winograd_input_gradient.   patches[t,i,j,c] = sum over p,q of B[i,p] * B[j,q] * dv[p,q,t,c]
// dv [POINTS, POINTS, TILES, IN_C]   patches [TILES, POINTS, POINTS, IN_C]; winograd_patch_sum adds up those that overlap.
// One invocation a tile and 4 channels.
@compute @workgroup_size(64)
fn winograd_input_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let c = e % ((IN_C + 3u) / 4u) * 4u;
  let t = e / ((IN_C + 3u) / 4u);
  if (t >= TILES) {
    return;
  }
  var columns: array<Points, POINTS>;
  for (var q = 0u; q < POINTS; q++) {
    var column: Points;
    // unroll
    for (var p = 0u; p < POINTS; p++) {
      column[p] = load_dv(((p * POINTS + q) * TILES + t) * IN_C + c, IN_C - c);
    }
    columns[q] = interpolate_adjoint(column);
  }
  // unroll
  for (var i = 0u; i < POINTS; i++) {
    var row: Points;
    // unroll
    for (var q = 0u; q < POINTS; q++) {
      row[q] = columns[q][i];
    }
    let patch_row = interpolate_adjoint(row);
    // unroll
    for (var j = 0u; j < POINTS; j++) {
      store_patches(((t * POINTS + i) * POINTS + j) * IN_C + c, patch_row[j], IN_C - c);
    }
  }
}
