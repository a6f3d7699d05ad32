// winograd_input.   v[p,q,t,c] = sum over i,j of B[i,p] * B[j,q] * x[n, h+i-PAD_H, w+j-PAD_W, c],   tile t at (n,h,w)
// x [BATCH, IN_H, IN_W, IN_C]   v [POINTS, POINTS, TILES, IN_C]
// One invocation, or LINES of them (conv2d/lib/lines.wgsl), a tile and CHANNELS channels. Images not in use count as 0, since the
// filter gradient reads v, too.
override CLIPPED: bool; // some patch reaches outside x
const BLOCKS: u32 = (IN_C + CHANNELS - 1u) / CHANNELS; // of channels

@group(0) @binding(0) var<storage, read> state: StepState;

fn x_at(tile: Tile, i: u32, j: u32, c: u32, used: bool) -> Channels {
  let h = i32(tile.h + i) - i32(PAD_H);
  let w = i32(tile.w + j) - i32(PAD_W);
  let x = load_x(u32((i32(tile.image * IN_H) + h) * i32(IN_W) + w) * IN_C + c, IN_C - c);
  if (CLIPPED) {
    // As unsigned numbers, places before the first are larger than any size.
    return select(Channels(0.0f), x, used & (u32(h) < IN_H) & (u32(w) < IN_W));
  } else {
    return select(Channels(0.0f), x, used);
  }
}

fn row_of(tile: Tile, i: u32, c: u32, used: bool) -> Points {
  var row: Points;
  // unroll
  for (var j = 0u; j < POINTS; j++) {
    row[j] = x_at(tile, i, j, c, used);
  }
  return interpolate(row);
}

fn store_column(tile: Tile, q: u32, c: u32, column: Points) {
  let v = interpolate(column);
  // unroll
  for (var p = 0u; p < POINTS; p++) {
    store_v(((p * POINTS + q) * TILES + tile.index) * IN_C + c, v[p], IN_C - c);
  }
}

@compute @workgroup_size(ITEMS, LINES)
fn winograd_input(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let e = item_index(workgroup, local);
  let c = e % BLOCKS * CHANNELS;
  let tile = tile_at(e / BLOCKS);
  let exists = tile.index < TILES;
  let used = tile.image < state.rows;
  if (LINES == 1u) {
    if (!exists) {
      return;
    }
    var rows: array<Points, POINTS>;
    // unroll
    for (var i = 0u; i < POINTS; i++) {
      rows[i] = row_of(tile, i, c, used);
    }
    // unroll
    for (var q = 0u; q < POINTS; q++) {
      var column: Points;
      // unroll
      for (var i = 0u; i < POINTS; i++) {
        column[i] = rows[i][q];
      }
      store_column(tile, q, c, column);
    }
  } else {
    let row = row_of(tile, local.y, c, used);
    // unroll
    for (var q = 0u; q < POINTS; q++) {
      hand_on(local.y, q, local.x, row[q]);
    }
    workgroupBarrier();
    var column: Points;
    // unroll
    for (var i = 0u; i < POINTS; i++) {
      column[i] = taken(i, local.y, local.x);
    }
    if (exists) {
      store_column(tile, local.y, c, column);
    }
  }
}
