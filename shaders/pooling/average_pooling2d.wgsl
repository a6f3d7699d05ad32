// average_pooling2d, NHWC.   y[n,h,w,c] = mean over i,j of x[n, h*STRIDE_H+i-PAD_H, w*STRIDE_W+j-PAD_W, c], inside x only
// x [BATCH, IN_H, IN_W, C]   y [BATCH, OUT_H, OUT_W, C]
// Padding is not counted in the mean, as in Keras and TensorFlow. One invocation an element of y.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn average_pooling2d(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e >= BATCH * OUT_H * OUT_W * C) {
    return;
  }
  let c = e % C;
  let first_w = i32(e / C % OUT_W * STRIDE_W) - i32(PAD_W);
  let first_h = i32(e / (C * OUT_W) % OUT_H * STRIDE_H) - i32(PAD_H);
  let image = e / (C * OUT_W * OUT_H);
  var sum = 0.0f;
  var count = 0.0f;
  for (var i = 0u; i < POOL_H; i++) {
    for (var j = 0u; j < POOL_W; j++) {
      let h = u32(first_h + i32(i));
      let w = u32(first_w + i32(j));
      if ((h < IN_H) & (w < IN_W)) {
        sum += x[((image * IN_H + h) * IN_W + w) * C + c];
        count += 1.0f;
      }
    }
  }
  y[e] = sum / count;
}
