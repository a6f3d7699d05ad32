// winograd_output_gradient.   dm[p,q,t,o] = sum over i,j of A[p,i] * A[q,j] * dy[n,h+i,w+j,o],   tile t at (n,h,w)
// dy [BATCH, OUT_H, OUT_W, OUT_C], or pooled (lib/incoming_gradient.wgsl)   dm [POINTS, POINTS, TILES, OUT_C]
// One invocation a tile and 4 channels. Images not in use count as 0.
@group(0) @binding(0) var<storage, read> state: array<u32>;

alias Outputs = array<Coefficients_outputs, OUTPUTS>;

// The tile's dy; past the last row or column it counts as 0.
fn dy_of(tile: Tile, o: u32) -> Outputs {
  let used = tile.image < state[STATE_ROWS];
  let image_at = tile.image * DY_IMAGE;
  var dy: Outputs;
  if (UNPOOL) {
    // unroll
    for (var i = 0u; i < OUTPUTS / POOL_H; i++) {
      // unroll
      for (var j = 0u; j < OUTPUTS / POOL_W; j++) {
        let h = tile.h / POOL_H + i;
        let w = tile.w / POOL_W + j;
        let window = load_window(image_at, h, w, o);
        let exists = used && h < POOLED_H && w < POOLED_W;
        // unroll
        for (var r = 0u; r < 4u; r++) {
          dy[i * POOL_H + r / POOL_W][j * POOL_W + r % POOL_W] = select(vec4f(0.0f), window[r], exists);
        }
      }
    }
  } else {
    // unroll
    for (var i = 0u; i < OUTPUTS; i++) {
      // unroll
      for (var j = 0u; j < OUTPUTS; j++) {
        let at = image_at + ((tile.h + i) * OUT_W + tile.w + j) * OUT_C + o;
        let exists = used && tile.h + i < OUT_H && tile.w + j < OUT_W;
        dy[i][j] = select(vec4f(0.0f), load_dy(at, OUT_C - o), exists);
      }
    }
  }
  return dy;
}

@compute @workgroup_size(64)
fn winograd_output_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % ((OUT_C + 3u) / 4u) * 4u;
  let tile = tile_at(e / ((OUT_C + 3u) / 4u));
  if (tile.index >= TILES) {
    return;
  }
  let dy = dy_of(tile, o);
  var rows: array<Points, OUTPUTS>;
  // unroll
  for (var i = 0u; i < OUTPUTS; i++) {
    rows[i] = evaluate_outputs(dy[i]);
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
