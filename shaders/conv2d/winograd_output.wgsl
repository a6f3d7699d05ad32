// winograd_output.   y[n,h+i,w+j,o] = act(bias[o] + sum over p,q of A[p,i] * A[q,j] * m[p,q,t,o]),   tile t at (n,h,w)
// m [POINTS, POINTS, TILES, OUT_C]   bias [OUT_C]   y [BATCH, OUT_H, OUT_W, OUT_C]
// POOL: a pooling by disjoint windows of 4, each in one tile, follows in registers (pooling/lib/pooled_window.wgsl). Then y is
// [BATCH, POOLED_H, POOLED_W, OUT_C], and routes takes the places where its gradient goes, a byte a channel.
// One invocation, or LINES of them (conv2d/lib/lines.wgsl), a tile and 4 channels.
override HAS_BIAS: bool;
override POOL: bool;

@group(0) @binding(0) var<storage, read_write> routes: array<u32>;

// Rows of y that are finished together: those of a pooling window, else 1.
override ROWS: u32;
const STRIPS: u32 = OUTPUTS / ROWS;
alias Strip = array<Coefficients_outputs, ROWS>;

fn finish(o: u32, sum: vec4f) -> vec4f {
  if (HAS_BIAS) {
    return activate(sum + load_bias(o, OUT_C - o));
  } else {
    return activate(sum);
  }
}

fn store_window(tile: Tile, h: u32, w: u32, o: u32, pooled: Pooled) {
  if ((h < POOLED_H) & (w < POOLED_W)) {
    let pixel = (tile.image * POOLED_H + h) * POOLED_W + w;
    store_y(pixel * OUT_C + o, pooled.y, OUT_C - o);
    routes[pixel * ((OUT_C + 3u) / 4u) + o / 4u] = packed(pooled.bits);
  }
}

fn column_of(tile: Tile, q: u32, o: u32) -> Coefficients_outputs {
  var column: Points;
  // unroll
  for (var p = 0u; p < POINTS; p++) {
    column[p] = load_m(((p * POINTS + q) * TILES + tile.index) * OUT_C + o, OUT_C - o);
  }
  return evaluate_adjoint_outputs(column);
}

// The rows of y of a strip, each of OUTPUTS.
fn store_strip(tile: Tile, strip: u32, o: u32, y: Strip) {
  if (POOL) {
    // unroll
    for (var j = 0u; j < OUTPUTS / POOL_W; j++) {
      let pooled = pool(
        finish(o, y[0][j * POOL_W]),
        finish(o, y[1u / POOL_W][j * POOL_W + 1u % POOL_W]),
        finish(o, y[2u / POOL_W][j * POOL_W + 2u % POOL_W]),
        finish(o, y[3u / POOL_W][j * POOL_W + 3u % POOL_W]),
      );
      store_window(tile, tile.h / POOL_H + strip, tile.w / POOL_W + j, o, pooled);
    }
  } else {
    // unroll
    for (var j = 0u; j < OUTPUTS; j++) {
      if ((tile.h + strip < OUT_H) & (tile.w + j < OUT_W)) {
        let at = ((tile.image * OUT_H + tile.h + strip) * OUT_W + tile.w + j) * OUT_C + o;
        store_y(at, finish(o, y[0][j]), OUT_C - o);
      }
    }
  }
}

@compute @workgroup_size(ITEMS, LINES)
fn winograd_output(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let e = item_index(workgroup, local);
  let o = e % ((OUT_C + 3u) / 4u) * 4u;
  let tile = tile_at(e / ((OUT_C + 3u) / 4u));
  let exists = tile.index < TILES;
  if (LINES == 1u) {
    if (!exists) {
      return;
    }
    var columns: array<Coefficients_outputs, POINTS>;
    // unroll
    for (var q = 0u; q < POINTS; q++) {
      columns[q] = column_of(tile, q, o);
    }
    // unroll
    for (var strip = 0u; strip < STRIPS; strip++) {
      var y: Strip;
      // unroll
      for (var r = 0u; r < ROWS; r++) {
        var row: Points;
        // unroll
        for (var q = 0u; q < POINTS; q++) {
          row[q] = columns[q][strip * ROWS + r];
        }
        y[r] = evaluate_adjoint_outputs(row);
      }
      store_strip(tile, strip, o, y);
    }
  } else {
    let column = column_of(tile, local.y, o);
    // unroll
    for (var i = 0u; i < OUTPUTS; i++) {
      hand_on(i, local.y, local.x, column[i]);
    }
    workgroupBarrier();
    if (!exists | (local.y >= STRIPS)) {
      return;
    }
    var y: Strip;
    // unroll
    for (var r = 0u; r < ROWS; r++) {
      var row: Points;
      // unroll
      for (var q = 0u; q < POINTS; q++) {
        row[q] = taken(local.y * ROWS + r, q, local.x);
      }
      y[r] = evaluate_adjoint_outputs(row);
    }
    store_strip(tile, local.y, o, y);
  }
}
