// naive_conv2d, NHWC, stride 1, no padding: a convolution by its formula. No model uses it: it is the first rung of the
// ladder in shaders/README.md.   y[n,h,w,o] = sum over i,j,c of x[n,h+i,w+j,c] * k[i,j,c,o]
// x [BATCH, IN_H, IN_W, IN_C]   k [K_H, K_W, IN_C, OUT_C]   y [BATCH, OUT_H, OUT_W, OUT_C]
override IN_H: u32;
override IN_W: u32;
override IN_C: u32;
override K_H: u32;
override K_W: u32;
override OUT_H: u32;
override OUT_W: u32;
override OUT_C: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// One invocation a number of y.
@compute @workgroup_size(64)
fn naive_conv2d(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= arrayLength(&y)) { return; }
  let n = id.x / (OUT_H * OUT_W * OUT_C);
  let h = id.x / (OUT_W * OUT_C) % OUT_H;
  let w = id.x / OUT_C % OUT_W;
  let o = id.x % OUT_C;
  var sum = 0.0f;
  for (var i = 0u; i < K_H; i++) {
    for (var j = 0u; j < K_W; j++) {
      for (var c = 0u; c < IN_C; c++) {
        sum += x[((n * IN_H + h + i) * IN_W + w + j) * IN_C + c] * k[((i * K_W + j) * IN_C + c) * OUT_C + o];
      }
    }
  }
  y[id.x] = sum;
}
