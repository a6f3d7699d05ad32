// winograd_input_gradient.   strips[n,h,i,x,c] = sum over the tiles t of a row h that reach x of patch[t,i,x-OUTPUTS*w,c],
//                             where patch[t,i,j,c] = sum over p,q of B[i,p] * B[j,q] * dv[p,q,t,c],   tile t the w-th of its row
// dv [POINTS, POINTS, TILES, IN_C]   strips [BATCH, TILES_H, POINTS, STRIP_W, IN_C]; winograd_patch_sum adds up overlapping ones.
// One invocation a row of tiles and CHANNELS channels. It walks along the row, and carries the sums that later tiles add to.
const OVERLAP: u32 = POINTS - OUTPUTS;
const STRIP_W: u32 = TILES_W * OUTPUTS + OVERLAP;
const BLOCKS: u32 = (IN_C + CHANNELS - 1u) / CHANNELS; // of channels

fn put(strip: u32, i: u32, x: u32, c: u32, value: Channels) {
  store_strips(((strip * POINTS + i) * STRIP_W + x) * IN_C + c, value, IN_C - c);
}

@compute @workgroup_size(64)
fn winograd_input_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let c = e % BLOCKS * CHANNELS;
  let strip = e / BLOCKS;
  if (strip >= BATCH * TILES_H) {
    return;
  }
  var carried: array<array<Channels, OVERLAP>, POINTS>;
  for (var w = 0u; w < TILES_W; w++) {
    var columns: array<Points, POINTS>;
    for (var q = 0u; q < POINTS; q++) {
      var column: Points;
      // unroll
      for (var p = 0u; p < POINTS; p++) {
        column[p] = load_dv(((p * POINTS + q) * TILES + strip * TILES_W + w) * IN_C + c, IN_C - c);
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
      var patch_row = interpolate_adjoint(row);
      // unroll
      for (var j = 0u; j < OVERLAP; j++) {
        patch_row[j] += carried[i][j];
      }
      // unroll
      for (var j = 0u; j < OVERLAP; j++) {
        carried[i][j] = patch_row[OUTPUTS + j];
      }
      // unroll
      for (var j = 0u; j < OUTPUTS; j++) {
        put(strip, i, w * OUTPUTS + j, c, patch_row[j]);
      }
    }
  }
  for (var i = 0u; i < POINTS; i++) {
    for (var j = 0u; j < OVERLAP; j++) {
      put(strip, i, TILES_W * OUTPUTS + j, c, carried[i][j]);
    }
  }
}
