// depthwise_conv2d, NHWC.
// y[n,h,w,o] = act(bias[o] + sum over i,j of x[n, h*STRIDE_H+i*DILATION_H-PAD_H, w*STRIDE_W+j*DILATION_W-PAD_W, o / MULTIPLIER] * k[i,j,o])
// x [BATCH, IN_H, IN_W, IN_C]   k [K_H, K_W, OUT_C], Keras's [K_H, K_W, IN_C, MULTIPLIER]   bias [OUT_C]   y [BATCH, OUT_H, OUT_W, OUT_C]
//
// One invocation four channels at four positions: along w or, where POOL, of a window. Then a pooling follows in registers
// (pooling/lib/pooled_window.wgsl), y is [BATCH, POOLED_H, POOLED_W, OUT_C], and routes takes where its gradient goes, a byte a channel.
override POOL: bool;

@group(0) @binding(0) var<storage, read_write> routes: array<u32>;

fn convolve(patches: Patches, o: u32) -> mat4x4f {
  var sums = mat4x4f();
  for (var i = 0u; i < K_H; i++) {
    for (var j = 0u; j < K_W; j++) {
      let k = load_k((i * K_W + j) * OUT_C + o, OUT_C - o);
      let x = source_rows(patches, i, j, o);
      let real = has_source(patches, i, j);
      // unroll
      for (var r = 0u; r < 4u; r++) {
        if (PADDED) {
          sums[r] += select(vec4f(0.0f), x[r] * k, real[r]);
        } else {
          sums[r] += x[r] * k;
        }
      }
    }
  }
  return sums;
}

@compute @workgroup_size(64)
fn depthwise_conv2d(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % OUT_C4 * 4u;
  let block = e / OUT_C4;
  let image = block / (BLOCK_ROWS * BLOCKS_PER_ROW);
  if (image >= BATCH) {
    return;
  }
  let row = block / BLOCKS_PER_ROW % BLOCK_ROWS;
  let column = block % BLOCKS_PER_ROW;
  let sums = convolve(patches_of(positions_of_block(row, column), vec4i(i32(image * X_IMAGE))), o);
  if (POOL) {
    let pooled = pool(finish(sums[0], o), finish(sums[1], o), finish(sums[2], o), finish(sums[3], o));
    store_y(block * OUT_C + o, pooled.y, OUT_C - o);
    routes[block * OUT_C4 + o / 4u] = packed(pooled.bits);
  } else {
    let position = (image * OUT_H + row) * OUT_W;
    // unroll
    for (var r = 0u; r < 4u; r++) {
      if (column * 4u + r < OUT_W) {
        store_y((position + column * 4u + r) * OUT_C + o, finish(sums[r], o), OUT_C - o);
      }
    }
  }
}
