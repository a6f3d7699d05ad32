// depthwise_conv2d_input_gradient, NHWC.
// dx[n,y,x,c] = act'(in[n,y,x,c]) * sum over (i,h), (j,w), m of dy[n,h,w,o] * k[i,j,o],
//               where h*STRIDE_H+i*DILATION_H-PAD_H = y, w*STRIDE_W+j*DILATION_W-PAD_W = x and o = c*MULTIPLIER + m
// dy [BATCH, OUT_H, OUT_W, OUT_C]   k [K_H, K_W, OUT_C]   dx and in [BATCH, IN_H, IN_W, IN_C]
//
// One invocation four channels of x at one pixel of four images, which share the taps that reach the pixel. Those channels make
// 4 * MULTIPLIER channels of y side by side, which come in fours.
// GRADIENT_ACTIVATION: `in` is the output of the activation that made x.

const IN_C4: u32 = (IN_C + 3u) / 4u;
const PIXELS: u32 = IN_H * IN_W;

// What four channels of x get of the products at the g-th four of their channels of y.
fn shared_out(product: vec4f, g: u32) -> vec4f {
  if (MULTIPLIER == 1u) {
    return product;
  }
  var sum = vec4f(0.0f);
  // unroll
  for (var l = 0u; l < 4u; l++) {
    let own = vec4u(0u, 1u, 2u, 3u) == vec4u((g * 4u + l) / MULTIPLIER);
    sum += select(vec4f(0.0f), vec4f(product[l]), own);
  }
  return sum;
}

fn store(image: u32, pixel: u32, c: u32, sum: vec4f) {
  if (image < BATCH) {
    let at = (image * PIXELS + pixel) * IN_C + c;
    if (GRADIENT_ACTIVATION != 0u) {
      store_dx(at, gradient_through(sum, load_in(at, IN_C - c)), IN_C - c);
    } else {
      store_dx(at, sum, IN_C - c);
    }
  }
}

@compute @workgroup_size(64)
fn depthwise_conv2d_input_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let c = e % IN_C4 * 4u;
  let pixel = e / IN_C4 % PIXELS;
  let image = e / (IN_C4 * PIXELS) * 4u;
  if (image >= BATCH) {
    return;
  }
  let place_h = pixel / IN_W + PAD_H;
  let place_w = pixel % IN_W + PAD_W;
  var sums = mat4x4f();
  // One of stride and dilation is 1, so that every tap of the loop meets a position.
  for (var i = place_h % STRIDE_H; i < min(K_H, place_h / DILATION_H + 1u); i += STRIDE_H) {
    for (var j = place_w % STRIDE_W; j < min(K_W, place_w / DILATION_W + 1u); j += STRIDE_W) {
      let h = (place_h - i * DILATION_H) / STRIDE_H;
      let w = (place_w - j * DILATION_W) / STRIDE_W;
      if ((h < OUT_H) & (w < OUT_W)) {
        let position = position_of(h, w);
        for (var g = 0u; g < MULTIPLIER; g++) {
          let o = c * MULTIPLIER + g * 4u; // past the end only for channels of x that do not exist
          let k = load_k((i * K_W + j) * OUT_C + o, OUT_C - o);
          // unroll
          for (var r = 0u; r < 4u; r++) {
            sums[r] += shared_out(load_incoming((image + r) * DY_IMAGE, position, o) * k, g);
          }
        }
      }
    }
  }
  // unroll
  for (var r = 0u; r < 4u; r++) {
    store(image + r, pixel, c, sums[r]);
  }
}
