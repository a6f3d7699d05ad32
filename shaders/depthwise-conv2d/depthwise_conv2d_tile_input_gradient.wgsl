// depthwise_conv2d_tile_input_gradient, NHWC: depthwise_conv2d_input_gradient by tiles of positions of x.
// dx[n,y,x,o] = act'(in[n,y,x,o]) * sum over (i,h), (j,w) of dy[n,h,w,o] * k[i,j,o],
//               where h*STRIDE_H+i-PAD_H = y and w*STRIDE_W+j-PAD_W = x
// dy [BATCH, OUT_H, OUT_W, OUT_C]   k [K_H, K_W, OUT_C]   dx and in [BATCH, IN_H, IN_W, OUT_C]
// A stride divides the tile's size, so that tiles begin at like places. GRADIENT_ACTIVATION: `in` is the output of the activation that made x.

const TILES_H: u32 = (IN_H + TILE_H - 1u) / TILE_H;
const TILES_W: u32 = (IN_W + TILE_W - 1u) / TILE_W;
// Positions of dy that meet a tile: so many before the one that its own first place has, and all in all.
const BEFORE_H: u32 = (K_H - 1u - PAD_H) / STRIDE_H;
const BEFORE_W: u32 = (K_W - 1u - PAD_W) / STRIDE_W;
const SPAN_H: u32 = BEFORE_H + (TILE_H - 1u + PAD_H) / STRIDE_H + 1u;
const SPAN_W: u32 = BEFORE_W + (TILE_W - 1u + PAD_W) / STRIDE_W + 1u;
const FIRST_H: u32 = PAD_H + BEFORE_H * STRIDE_H; // the tap of a tile's first place at its first position, if there were one
const FIRST_W: u32 = PAD_W + BEFORE_W * STRIDE_W;
const LAST_W: u32 = (TILES_W - 1u) * TILE_W / STRIDE_W;

@compute @workgroup_size(64)
fn depthwise_conv2d_tile_input_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % OUT_C4 * 4u;
  let tile = e / OUT_C4;
  let image = tile / (TILES_H * TILES_W);
  if (image >= BATCH) {
    return;
  }
  let row = tile / TILES_W % TILES_H * TILE_H;
  let column = tile % TILES_W * TILE_W;
  var k: array<vec4f, K_H * K_W>;
  // unroll
  for (var t = 0u; t < K_H * K_W; t++) {
    k[t] = load_k(t * OUT_C + o, OUT_C - o);
  }
  var sums: array<vec4f, TILE_H * TILE_W>;
  // unroll
  for (var p = 0u; p < SPAN_H; p++) {
    let h = row / STRIDE_H + p - BEFORE_H; // above every size where it would be negative
    if (h < OUT_H) {
      // unroll
      for (var q = 0u; q < SPAN_W; q++) {
        let w = column / STRIDE_W + q - BEFORE_W;
        let dy = load_dy(image * Y_IMAGE + (h * OUT_W + w) * OUT_C + o, OUT_C - o);
        // unroll
        for (var r = 0u; r < TILE_H; r++) {
          if (FIRST_H + r >= p * STRIDE_H) {
            if (FIRST_H + r - p * STRIDE_H < K_H) {
              // unroll
              for (var t = 0u; t < TILE_W; t++) {
                if (FIRST_W + t >= q * STRIDE_W) {
                  if (FIRST_W + t - q * STRIDE_W < K_W) {
                    let product = dy * k[(FIRST_H + r - p * STRIDE_H) * K_W + FIRST_W + t - q * STRIDE_W];
                    if (q < BEFORE_W) {
                      sums[r * TILE_W + t] += counted(product, w < OUT_W);
                    } else if (LAST_W + q >= OUT_W + BEFORE_W) {
                      sums[r * TILE_W + t] += counted(product, w < OUT_W);
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
    }
  }
  // unroll
  for (var r = 0u; r < TILE_H; r++) {
    // unroll
    for (var t = 0u; t < TILE_W; t++) {
      if ((row + r < IN_H) & (column + t < IN_W)) {
        let at = image * X_IMAGE + ((row + r) * IN_W + column + t) * OUT_C + o;
        if (GRADIENT_ACTIVATION != 0u) {
          store_dx(at, gradient_through(sums[r * TILE_W + t], load_in(at, OUT_C - o)), OUT_C - o);
        } else {
          store_dx(at, sums[r * TILE_W + t], OUT_C - o);
        }
      }
    }
  }
}
