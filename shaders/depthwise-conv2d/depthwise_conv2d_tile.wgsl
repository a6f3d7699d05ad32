// depthwise_conv2d_tile, NHWC: depthwise_conv2d by tiles of positions of y.
// y[n,h,w,o] = act(bias[o] + sum over i,j of x[n, h*STRIDE_H+i-PAD_H, w*STRIDE_W+j-PAD_W, o] * k[i,j,o])
// x [BATCH, IN_H, IN_W, OUT_C]   k [K_H, K_W, OUT_C]   bias [OUT_C]   y [BATCH, OUT_H, OUT_W, OUT_C]

// Tiles of an image, and what of x a tile sees.
const TILES_H: u32 = (OUT_H + TILE_H - 1u) / TILE_H;
const TILES_W: u32 = (OUT_W + TILE_W - 1u) / TILE_W;
const SPAN_H: u32 = (TILE_H - 1u) * STRIDE_H + K_H;
const SPAN_W: u32 = (TILE_W - 1u) * STRIDE_W + K_W;
const LAST_W: u32 = (TILES_W - 1u) * TILE_W * STRIDE_W; // where the last tile's begins, before the padding

@compute @workgroup_size(64)
fn depthwise_conv2d_tile(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % OUT_C4 * 4u;
  let tile = e / OUT_C4;
  let image = tile / (TILES_H * TILES_W);
  if (image >= BATCH) {
    return;
  }
  let row = tile / TILES_W % TILES_H * TILE_H;
  let column = tile % TILES_W * TILE_W;
  let left = column * STRIDE_W - PAD_W; // above every size where it would be negative
  var k: array<vec4f, K_H * K_W>;
  // unroll
  for (var t = 0u; t < K_H * K_W; t++) {
    k[t] = load_k(t * OUT_C + o, OUT_C - o);
  }
  var sums: array<vec4f, TILE_H * TILE_W>;
  // unroll
  for (var p = 0u; p < SPAN_H; p++) {
    let h = row * STRIDE_H + p - PAD_H;
    if (h < IN_H) {
      var x: array<vec4f, SPAN_W>;
      // unroll
      for (var q = 0u; q < SPAN_W; q++) {
        x[q] = load_x(image * X_IMAGE + (h * IN_W + left + q) * OUT_C + o, OUT_C - o);
      }
      // unroll
      for (var r = 0u; r < TILE_H; r++) {
        if (p >= r * STRIDE_H) {
          if (p - r * STRIDE_H < K_H) {
            // unroll
            for (var t = 0u; t < TILE_W; t++) {
              // unroll
              for (var j = 0u; j < K_W; j++) {
                let product = x[t * STRIDE_W + j] * k[(p - r * STRIDE_H) * K_W + j];
                if (t * STRIDE_W + j < PAD_W) {
                  sums[r * TILE_W + t] += counted(product, left + t * STRIDE_W + j < IN_W);
                } else if (LAST_W + t * STRIDE_W + j >= IN_W + PAD_W) {
                  sums[r * TILE_W + t] += counted(product, left + t * STRIDE_W + j < IN_W);
                } else {
                  sums[r * TILE_W + t] += product;
                }
              }
            }
          }
        }
      }
    }
  }
  // unroll
  for (var r = 0u; r < TILE_H; r++) {
    // unroll
    for (var t = 0u; t < TILE_W; t++) {
      if ((row + r < OUT_H) & (column + t < OUT_W)) {
        let at = image * Y_IMAGE + ((row + r) * OUT_W + column + t) * OUT_C + o;
        store_y(at, finish(sums[r * TILE_W + t], o), OUT_C - o);
      }
    }
  }
}
