// winograd_output_gradient.   dm[p,q,t,o] = sum over i,j of A[p,i] * A[q,j] * dy[n,h+i,w+j,o],   tile t at (n,h,w)
// dy [BATCH, OUT_H, OUT_W, OUT_C], or pooled (lib/incoming_gradient.wgsl)   dm [POINTS, POINTS, TILES, OUT_C]
// One invocation a tile and 4 channels. Images not in use count as 0.
@group(0) @binding(0) var<storage, read> state: array<u32>;

// Row i of the tile.
fn dy_row(tile: Tile, i: u32, o: u32) -> Coefficients_outputs {
  var row: Coefficients_outputs;
  let used = tile.image < state[STATE_ROWS] && tile.h + i < OUT_H;
  let image_at = tile.image * DY_IMAGE;
  if (OUTPUTS == 4u) {
    let dy = load_incoming_4(image_at, tile.h + i, tile.w, o);
    // unroll
    for (var j = 0u; j < OUTPUTS; j++) {
      row[j] = select(vec4f(0.0f), dy[j], used && tile.w + j < OUT_W);
    }
  } else {
    // unroll
    for (var j = 0u; j < OUTPUTS; j++) {
      let dy = load_incoming(image_at, position_of(tile.h + i, tile.w + j), o);
      row[j] = select(vec4f(0.0f), dy, used && tile.w + j < OUT_W);
    }
  }
  return row;
}

@compute @workgroup_size(64)
fn winograd_output_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % ((OUT_C + 3u) / 4u) * 4u;
  let tile = tile_at(e / ((OUT_C + 3u) / 4u));
  if (tile.index >= TILES) {
    return;
  }
  var rows: array<Points, OUTPUTS>;
  // unroll
  for (var i = 0u; i < OUTPUTS; i++) {
    rows[i] = evaluate_outputs(dy_row(tile, i, o));
  }
  // unroll
  for (var q = 0u; q < POINTS; q++) {
    var column: Coefficients_outputs;
    // unroll
    for (var i = 0u; i < OUTPUTS; i++) {
      column[i] = rows[i][q];
    }
    let dm = evaluate_outputs(column);
    // unroll
    for (var p = 0u; p < POINTS; p++) {
      store_dm(((p * POINTS + q) * TILES + tile.index) * OUT_C + o, dm[p], OUT_C - o);
    }
  }
}
