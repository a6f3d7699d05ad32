// winograd_output_gradient.   dm[p,q,t,o] = sum over i,j of A[p,i] * A[q,j] * dy[n,h+i,w+j,o],   tile t at (n,h,w)
// dy [BATCH, OUT_H, OUT_W, OUT_C], or pooled (pooling/lib/incoming_gradient.wgsl)   dm [POINTS, POINTS, TILES, OUT_C]
// One invocation a tile and 4 channels. Images not in use count as 0.
@group(0) @binding(0) var<storage, read> state: StepState;

// Windows that a tile may reach into, along each axis. If tiles do not hold whole windows, a tile's first output may lie at any of SHIFTS
// places of its first window.
const SHIFTS_H: u32 = 1u + (OUTPUTS % POOL_H + POOL_H - 1u) / POOL_H * (POOL_H - 1u);
const SHIFTS_W: u32 = 1u + (OUTPUTS % POOL_W + POOL_W - 1u) / POOL_W * (POOL_W - 1u);
const WINDOWS_H: u32 = (OUTPUTS + SHIFTS_H + POOL_H - 2u) / POOL_H;
const WINDOWS_W: u32 = (OUTPUTS + SHIFTS_W + POOL_W - 2u) / POOL_W;

alias Outputs = array<Coefficients_outputs, OUTPUTS>;

// The tile's dy. Past the last row or column it counts as 0.
fn dy_of(tile: Tile, o: u32) -> Outputs {
  let used = tile.image < state.rows;
  let image_at = tile.image * DY_IMAGE;
  var dy: Outputs;
  if (UNPOOL) {
    var rows: array<Coefficients_outputs, WINDOWS_H * POOL_H>;
    // unroll
    for (var i = 0u; i < WINDOWS_H; i++) {
      let h = tile.h / POOL_H + i;
      var windows: array<mat4x4f, WINDOWS_W>;
      // unroll
      for (var j = 0u; j < WINDOWS_W; j++) {
        let w = tile.w / POOL_W + j;
        let exists = used & (h < POOLED_H) & (w < POOLED_W);
        windows[j] = load_window(image_at, h, w, o);
        // unroll
        for (var r = 0u; r < 4u; r++) {
          windows[j][r] = select(vec4f(0.0f), windows[j][r], exists);
        }
      }
      // unroll
      for (var r = 0u; r < POOL_H; r++) {
        // unroll
        for (var j = 0u; j < OUTPUTS; j++) {
          var value = windows[j / POOL_W][r * POOL_W + j % POOL_W];
          // unroll
          for (var shift = 1u; shift < SHIFTS_W; shift++) {
            value = select(value, windows[(j + shift) / POOL_W][r * POOL_W + (j + shift) % POOL_W], tile.w % POOL_W == shift);
          }
          rows[i * POOL_H + r][j] = value;
        }
      }
    }
    // unroll
    for (var i = 0u; i < OUTPUTS; i++) {
      // unroll
      for (var j = 0u; j < OUTPUTS; j++) {
        dy[i][j] = rows[i][j];
        // unroll
        for (var shift = 1u; shift < SHIFTS_H; shift++) {
          dy[i][j] = select(dy[i][j], rows[i + shift][j], tile.h % POOL_H == shift);
        }
      }
    }
  } else {
    // unroll
    for (var i = 0u; i < OUTPUTS; i++) {
      // unroll
      for (var j = 0u; j < OUTPUTS; j++) {
        let at = image_at + ((tile.h + i) * OUT_W + tile.w + j) * OUT_C + o;
        let exists = used & (tile.h + i < OUT_H) & (tile.w + j < OUT_W);
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
