// depthwise_conv2d_filter_gradient, NHWC.
// partial[s, (i,j), o] = sum over n,h,w of slice s of
//                        x[n, h*STRIDE_H+i*DILATION_H-PAD_H, w*STRIDE_W+j*DILATION_W-PAD_W, o / MULTIPLIER] * dy[n,h,w,o]
// x [BATCH, IN_H, IN_W, IN_C]   dy [BATCH, OUT_H, OUT_W, OUT_C]   partial [SLICES, K_H*K_W (+ 1), OUT_C]
//
// The long sum over positions is cut into SLICES, which conv2d_filter_gradient_sum adds up in a fixed order. One invocation
// four channels of one row i of the kernel in one slice: what it loads of dy serves K_W taps. The last row of partial is the bias's.
// A step is a block of four positions, along w or, where UNPOOL, of a window; images that are not in use end the loop.
override HAS_BIAS: bool;
override SLICES: u32;

const ROWS: u32 = K_H * K_W + u32(HAS_BIAS);
const BLOCKS_PER_IMAGE: u32 = BLOCK_ROWS * BLOCKS_PER_ROW;
const BLOCKS_PER_SLICE: u32 = (BATCH * BLOCKS_PER_IMAGE + SLICES - 1u) / SLICES;

@group(0) @binding(0) var<storage, read> state: StepState;

fn incoming_block(image: u32, row: u32, column: u32, o: u32) -> mat4x4f {
  if (UNPOOL) {
    return load_window(image * DY_IMAGE, row, column, o);
  } else {
    return rows_dy(image * DY_IMAGE + (row * OUT_W + column * 4u) * OUT_C + o, OUT_C, OUT_C - o);
  }
}

// A sum over a block of what counts.
fn total(real: vec4<bool>, a: mat4x4f) -> vec4f {
  let none = vec4f(0.0f);
  return select(none, a[0], real.x) + select(none, a[1], real.y) + select(none, a[2], real.z) + select(none, a[3], real.w);
}

@compute @workgroup_size(64)
fn depthwise_conv2d_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % OUT_C4 * 4u;
  let i = e / OUT_C4 % K_H;
  let slice = e / (OUT_C4 * K_H);
  if (slice >= SLICES) {
    return;
  }
  var sums: array<vec4f, K_W>;
  var bias = vec4f(0.0f);
  let first = slice * BLOCKS_PER_SLICE;
  let end = min(first + BLOCKS_PER_SLICE, state.rows * BLOCKS_PER_IMAGE);
  for (var t = first; t < end; t++) {
    let image = t / BLOCKS_PER_IMAGE;
    let row = t / BLOCKS_PER_ROW % BLOCK_ROWS;
    let column = t % BLOCKS_PER_ROW;
    let positions = positions_of_block(row, column);
    let patches = patches_of(positions, vec4i(i32(image * X_IMAGE)));
    let dy = incoming_block(image, row, column, o);
    // Positions past the end of dy's row count nothing.
    let there = positions.w < vec4u(OUT_W);
    if (HAS_BIAS) {
      bias += total(there, dy);
    }
    // unroll
    for (var j = 0u; j < K_W; j++) {
      let x = source_rows(patches, i, j, o);
      let products = mat4x4f(x[0] * dy[0], x[1] * dy[1], x[2] * dy[2], x[3] * dy[3]);
      sums[j] += total(there & has_source(patches, i, j), products);
    }
  }
  let at = (slice * ROWS + i * K_W) * OUT_C + o;
  // unroll
  for (var j = 0u; j < K_W; j++) {
    store_partial(at + j * OUT_C, sums[j], OUT_C - o);
  }
  if (HAS_BIAS) {
    if (i == 0u) {
      store_partial((slice * ROWS + K_H * K_W) * OUT_C + o, bias, OUT_C - o);
    }
  }
}
