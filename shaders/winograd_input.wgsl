// winograd_input.   v[p,q,t,c] = sum over i,j of B[i,p] * B[j,q] * x[n, h+i-PAD_H, w+j-PAD_W, c],   tile t at (n,h,w)
// x [BATCH, IN_H, IN_W, IN_C]   v [POINTS, POINTS, TILES, IN_C]
// One invocation a tile and CHANNELS channels. Images not in use count as 0, since v goes into the filter gradient, too.
override CLIPPED: bool; // some patch reaches outside x
const BLOCKS: u32 = (IN_C + CHANNELS - 1u) / CHANNELS; // of channels

@group(0) @binding(0) var<storage, read> state: array<u32>;

fn x_at(tile: Tile, i: u32, j: u32, c: u32, used: bool) -> Channels {
  let h = i32(tile.h + i) - i32(PAD_H);
  let w = i32(tile.w + j) - i32(PAD_W);
  let x = load_x(u32((i32(tile.image * IN_H) + h) * i32(IN_W) + w) * IN_C + c, IN_C - c);
  if (CLIPPED) {
    // As unsigned numbers, those before the first are larger than any size.
    return select(Channels(0.0f), x, used && u32(h) < IN_H && u32(w) < IN_W);
  } else {
    return select(Channels(0.0f), x, used);
  }
}

@compute @workgroup_size(64)
fn winograd_input(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let c = e % BLOCKS * CHANNELS;
  let tile = tile_at(e / BLOCKS);
  if (tile.index >= TILES) {
    return;
  }
  let used = tile.image < state[STATE_ROWS];
  var rows: array<Points, POINTS>;
  // unroll
  for (var i = 0u; i < POINTS; i++) {
    var row: Points;
    // unroll
    for (var j = 0u; j < POINTS; j++) {
      row[j] = x_at(tile, i, j, c, used);
    }
    rows[i] = interpolate(row);
  }
  // unroll
  for (var q = 0u; q < POINTS; q++) {
    var column: Points;
    // unroll
    for (var i = 0u; i < POINTS; i++) {
      column[i] = rows[i][q];
    }
    let v = interpolate(column);
    // unroll
    for (var p = 0u; p < POINTS; p++) {
      store_v(((p * POINTS + q) * TILES + tile.index) * IN_C + c, v[p], IN_C - c);
    }
  }
}
