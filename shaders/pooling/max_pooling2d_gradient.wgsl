// max_pooling2d_gradient, NHWC.   dx[n,h,w,c] = sum of dy over the windows that x[n,h,w,c] won
// dy and argmax [BATCH, OUT_H, OUT_W, C]   dx [BATCH, IN_H, IN_W, C]
// One invocation an element of dx. It reads each window that covers it, in a fixed order, without atomics.

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(0) var<storage, read> argmax: array<u32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn max_pooling2d_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
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
        let window = ((image * OUT_H + at.x) * OUT_W + at.y) * C + c;
        if (argmax[window] == i * POOL_W + j) {
          sum += dy[window];
        }
      }
    }
  }
  dx[e] = sum;
}
