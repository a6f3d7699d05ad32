// depthwise_conv2d_tile_filter_gradient, NHWC: depthwise_conv2d_filter_gradient by tiles of positions of dy.
// partial[s, (i,j), o] = sum over n,h,w of slice s of x[n, h*STRIDE_H+i-PAD_H, w*STRIDE_W+j-PAD_W, o] * dy[n,h,w,o]
// x [BATCH, IN_H, IN_W, OUT_C]   dy [BATCH, OUT_H, OUT_W, OUT_C]   partial [SLICES, K_H*K_W (+ 1), OUT_C]
// One invocation four channels of all taps in one slice. The last row of partial is the bias's. Images that are not in use end the loop.
override HAS_BIAS: bool;
override SLICES: u32;

const ROWS: u32 = K_H * K_W + u32(HAS_BIAS);
const TILES_H: u32 = (OUT_H + TILE_H - 1u) / TILE_H;
const TILES_W: u32 = (OUT_W + TILE_W - 1u) / TILE_W;
const TILES: u32 = TILES_H * TILES_W; // of an image
const TILES_PER_SLICE: u32 = (BATCH * TILES + SLICES - 1u) / SLICES;
const SPAN_H: u32 = (TILE_H - 1u) * STRIDE_H + K_H;
const SPAN_W: u32 = (TILE_W - 1u) * STRIDE_W + K_W;
const LAST_W: u32 = (TILES_W - 1u) * TILE_W * STRIDE_W;
const CUT: bool = OUT_H % TILE_H + OUT_W % TILE_W > 0u; // some tile reaches past dy

@group(0) @binding(0) var<storage, read> state: StepState;

@compute @workgroup_size(64)
fn depthwise_conv2d_tile_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % OUT_C4 * 4u;
  let slice = e / OUT_C4;
  if (slice >= SLICES) {
    return;
  }
  var sums: array<vec4f, K_H * K_W>;
  var bias = vec4f(0.0f);
  let first = slice * TILES_PER_SLICE;
  let end = min(first + TILES_PER_SLICE, state.rows * TILES);
  for (var tile = first; tile < end; tile++) {
    let image = tile / TILES;
    let row = tile / TILES_W % TILES_H * TILE_H;
    let column = tile % TILES_W * TILE_W;
    let left = column * STRIDE_W - PAD_W; // above every size where it would be negative
    var dy: array<vec4f, TILE_H * TILE_W>;
    // unroll
    for (var r = 0u; r < TILE_H; r++) {
      // unroll
      for (var t = 0u; t < TILE_W; t++) {
        let at = image * Y_IMAGE + ((row + r) * OUT_W + column + t) * OUT_C + o;
        dy[r * TILE_W + t] = load_dy(at, OUT_C - o);
        if (HAS_BIAS) {
          bias += counted(dy[r * TILE_W + t], (row + r < OUT_H) & (column + t < OUT_W));
        }
      }
    }
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
                  let product = x[t * STRIDE_W + j] * dy[r * TILE_W + t];
                  let in_x = left + t * STRIDE_W + j < IN_W;
                  if (CUT) {
                    let there = (row + r < OUT_H) & (column + t < OUT_W);
                    sums[(p - r * STRIDE_H) * K_W + j] += counted(product, there & in_x);
                  } else if (t * STRIDE_W + j < PAD_W) {
                    sums[(p - r * STRIDE_H) * K_W + j] += counted(product, in_x);
                  } else if (LAST_W + t * STRIDE_W + j >= IN_W + PAD_W) {
                    sums[(p - r * STRIDE_H) * K_W + j] += counted(product, in_x);
                  } else {
                    sums[(p - r * STRIDE_H) * K_W + j] += product;
                  }
                }
              }
            }
          }
        }
      }
    }
  }
  let at = slice * ROWS * OUT_C + o;
  // unroll
  for (var t = 0u; t < K_H * K_W; t++) {
    store_partial(at + t * OUT_C, sums[t], OUT_C - o);
  }
  if (HAS_BIAS) {
    store_partial(at + K_H * K_W * OUT_C, bias, OUT_C - o);
  }
}
