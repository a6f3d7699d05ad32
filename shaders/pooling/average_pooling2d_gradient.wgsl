// average_pooling2d_gradient, NHWC.   dx[n,h,w,c] = sum over the windows that cover it of dy / (cells of x in the window)
// dy [BATCH, OUT_H, OUT_W, C]   dx [BATCH, IN_H, IN_W, C]
// One invocation an element of dx. It reads each window that covers it, in a fixed order, without atomics.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;

// Cells of x in the window that starts at `first` of the padded axis.
fn cells(first: u32, size: u32, pad: u32, length: u32) -> u32 {
  return min(first + size, length + pad) - max(first, pad);
}

@compute @workgroup_size(64)
fn average_pooling2d_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e >= BATCH * IN_H * IN_W * C) {
    return;
  }
  let c = e % C;
  let place_w = e / C % IN_W + PAD_W;
  let place_h = e / (C * IN_W) % IN_H + PAD_H;
  let image = e / (C * IN_W * IN_H);
  var sum = 0.0f;
  for (var i = 0u; i < POOL_H; i++) {
    for (var j = 0u; j < POOL_W; j++) {
      let at = window_with(place_h, place_w, i, j);
      if ((at.x < OUT_H) & (at.y < OUT_W)) {
        let count = cells(at.x * STRIDE_H, POOL_H, PAD_H, IN_H) * cells(at.y * STRIDE_W, POOL_W, PAD_W, IN_W);
        sum += dy[((image * OUT_H + at.x) * OUT_W + at.y) * C + c] / f32(count);
      }
    }
  }
  dx[e] = sum;
}
