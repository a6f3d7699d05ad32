// average_pooling2d_gradient, NHWC.   dx[n,h,w,c] = sum over the windows that cover it of dy / (cells of x in the window)
// dy [BATCH, OUT_H, OUT_W, C]   dx [BATCH, IN_H, IN_W, C]
// One invocation an element of dx: it asks each window that covers it, in a fixed order, so no atomics.
const BATCH: u32 = 1u;
const IN_H: u32 = 1u;
const IN_W: u32 = 1u;
const OUT_H: u32 = 1u;
const OUT_W: u32 = 1u;
const C: u32 = 1u;
const POOL_H: u32 = 2u;
const POOL_W: u32 = 2u;
const STRIDE_H: u32 = 2u;
const STRIDE_W: u32 = 2u;
const PAD_H: u32 = 0u;
const PAD_W: u32 = 0u;

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
      let h = (place_h - i) / STRIDE_H;
      let w = (place_w - j) / STRIDE_W;
      let covers = place_h >= i && (place_h - i) % STRIDE_H == 0u && h < OUT_H
        && place_w >= j && (place_w - j) % STRIDE_W == 0u && w < OUT_W;
      if (covers) {
        let count = cells(h * STRIDE_H, POOL_H, PAD_H, IN_H) * cells(w * STRIDE_W, POOL_W, PAD_W, IN_W);
        sum += dy[((image * OUT_H + h) * OUT_W + w) * C + c] / f32(count);
      }
    }
  }
  dx[e] = sum;
}
