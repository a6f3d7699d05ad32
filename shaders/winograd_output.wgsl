// winograd_output.   y[n,h+i,w+j,o] = act(bias[o] + sum over p,q of A[p,i] * A[q,j] * m[p,q,t,o]),   tile t at (n,h,w)
// m [POINTS, POINTS, TILES, OUT_C]   bias [OUT_C]   y [BATCH, OUT_H, OUT_W, OUT_C]
// POOL: a pooling by windows of 4 that do not overlap, of which a tile holds whole ones, follows in registers
// (lib/pooled_window.wgsl); then y is [BATCH, POOLED_H, POOLED_W, OUT_C], and routes takes where its gradient goes, a byte a channel.
// One invocation a tile and 4 channels.
override HAS_BIAS: bool;
override POOL: bool;

@group(0) @binding(0) var<storage, read_write> routes: array<u32>;

alias Outputs = array<Coefficients_outputs, OUTPUTS>;

fn finish(o: u32, sum: vec4f) -> vec4f {
  if (HAS_BIAS) {
    return activate(sum + load_bias(o, OUT_C - o));
  } else {
    return activate(sum);
  }
}

fn store_window(tile: Tile, h: u32, w: u32, o: u32, pooled: Pooled) {
  if (h < POOLED_H && w < POOLED_W) {
    let pixel = (tile.image * POOLED_H + h) * POOLED_W + w;
    store_y(pixel * OUT_C + o, pooled.y, OUT_C - o);
    routes[pixel * ((OUT_C + 3u) / 4u) + o / 4u] = packed(pooled.bits);
  }
}

@compute @workgroup_size(64)
fn winograd_output(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % ((OUT_C + 3u) / 4u) * 4u;
  let tile = tile_at(e / ((OUT_C + 3u) / 4u));
  if (tile.index >= TILES) {
    return;
  }
  var columns: array<Coefficients_outputs, POINTS>;
  // unroll
  for (var q = 0u; q < POINTS; q++) {
    var column: Points;
    // unroll
    for (var p = 0u; p < POINTS; p++) {
      column[p] = load_m(((p * POINTS + q) * TILES + tile.index) * OUT_C + o, OUT_C - o);
    }
    columns[q] = evaluate_adjoint_outputs(column);
  }
  var y: Outputs;
  // unroll
  for (var i = 0u; i < OUTPUTS; i++) {
    var row: Points;
    // unroll
    for (var q = 0u; q < POINTS; q++) {
      row[q] = columns[q][i];
    }
    y[i] = evaluate_adjoint_outputs(row);
  }
  if (POOL) {
    // unroll
    for (var i = 0u; i < OUTPUTS / POOL_H; i++) {
      // unroll
      for (var j = 0u; j < OUTPUTS / POOL_W; j++) {
        let pooled = pool(
          finish(o, y[i * POOL_H][j * POOL_W]),
          finish(o, y[i * POOL_H + 1u / POOL_W][j * POOL_W + 1u % POOL_W]),
          finish(o, y[i * POOL_H + 2u / POOL_W][j * POOL_W + 2u % POOL_W]),
          finish(o, y[i * POOL_H + 3u / POOL_W][j * POOL_W + 3u % POOL_W]),
        );
        store_window(tile, tile.h / POOL_H + i, tile.w / POOL_W + j, o, pooled);
      }
    }
  } else {
    // unroll
    for (var i = 0u; i < OUTPUTS; i++) {
      // unroll
      for (var j = 0u; j < OUTPUTS; j++) {
        if (tile.h + i < OUT_H && tile.w + j < OUT_W) {
          let at = ((tile.image * OUT_H + tile.h + i) * OUT_W + tile.w + j) * OUT_C + o;
          store_y(at, finish(o, y[i][j]), OUT_C - o);
        }
      }
    }
  }
}
