// conv2d_input_gradient, NHWC.
// dx[n,y,x,c] = act'(in[n,y,x,c]) * sum over (i,h), (j,w), o of dy[n,h,w,o] * k[i,j,c,o],
//               where h*STRIDE_H+i*DILATION_H-PAD_H = y and w*STRIDE_W+j*DILATION_W-PAD_W = x
// dy [BATCH, OUT_H, OUT_W, OUT_C]   k [K_H, K_W, GROUP_IN, OUT_C]   dx and in [BATCH, IN_H, IN_W, IN_C]
//
// Rows are images at one pixel of x, so that all rows of an invocation share the taps that reach the pixel. The outer loop runs over the
// h and w of dy that reach it. So nothing outside of dy is multiplied.
// Each of GROUPS is a product of its own in workgroup z: c and o then count from the group's first channels.
// GRADIENT_ACTIVATION: `in` is the output of the activation that made x.
// HAS_BIAS, ACTIVATION: it is a transposed convolution, dx = act(sum + bias[c]), bias [IN_C], of the image dy.
const HAS_BIAS: bool = false;

const STORED_ROWS: u32 = BATCH;
const INNER: u32 = (GROUP_OUT + 3u) / 4u;
const A_ALONG_K: bool = true;
const B_ALONG_K: bool = true;
// Blocks of 4 images at one pixel, rounded up so that rows that take the same steps are of one pixel.
const IMAGE_BLOCKS: u32 = (BATCH + 4u * ROWS_TOGETHER - 1u) / (4u * ROWS_TOGETHER) * ROWS_TOGETHER;

struct Row {
  image: u32, // the first of 4
  at: u32, // the offset in dy of its group's first channel
  y: u32,
  x: u32,
  first_h: u32, // of the positions of dy that reach the pixel
  first_w: u32,
  count_h: u32,
  count_w: u32,
}

struct Column {
  n: u32, // the first of 4 channels in the group
  c: u32, // and in x
  k: u32, // offset of k[0, 0, n, o], where o is the group's first
}

struct Step {
  position: Position, // (h, w) in dy
  k: u32, // offset of k[i, j, 0, 0]
}

fn row_block(m4: u32, slice: u32) -> Row {
  let pixel = m4 / IMAGE_BLOCKS;
  let y = pixel / IN_W;
  let x = pixel % IN_W;
  let reach_h = reach(y + PAD_H, STRIDE_H, DILATION_H, K_H, OUT_H);
  let reach_w = reach(x + PAD_W, STRIDE_W, DILATION_W, K_W, OUT_W);
  let image = m4 % IMAGE_BLOCKS * 4u;
  return Row(image, image * DY_IMAGE + first_output(slice), y, x, reach_h.x, reach_w.x, reach_h.y, reach_w.y);
}

// First and number of the output positions whose kernel has a tap at a place of the padded input, along one axis. They are `dilation`
// apart, and one of stride and dilation is 1.
fn reach(place: u32, stride: u32, dilation: u32, size: u32, out: u32) -> vec2u {
  let first = (place - min(size - 1u, place / dilation) * dilation + stride - 1u) / stride;
  let end = min(place / stride + 1u, out);
  return vec2u(first, (max(end, first) - first + dilation - 1u) / dilation);
}

fn column_block(n4: u32, slice: u32) -> Column {
  let n = n4 * 4u;
  return Column(n, first_input(slice) + n, n * OUT_C + first_output(slice));
}

fn steps(slice: u32, row: Row) -> vec2u {
  return vec2u(0u, row.count_h * row.count_w);
}

fn step_at(t: u32, row: Row) -> Step {
  let h = row.first_h + t / row.count_w * DILATION_H;
  let w = row.first_w + t % row.count_w * DILATION_W;
  let i = (row.y + PAD_H - h * STRIDE_H) / DILATION_H;
  let j = (row.x + PAD_W - w * STRIDE_W) / DILATION_W;
  return Step(position_of(h, w), (i * K_W + j) * GROUP_IN * OUT_C);
}

// Four channels of a group, from the o-th, at a position in dy.
fn load_group(at: u32, position: Position, o: u32) -> vec4f {
  if (GROUPS > 1u) {
    return load_dy(at + position.at + o, GROUP_OUT - o);
  } else {
    return load_incoming(at, position, o);
  }
}

fn block_a(row: Row, step: Step, k4: u32) -> mat4x4f {
  let o = k4 * 4u;
  return mat4x4f(
    load_group(row.at, step.position, o),
    load_group(row.at + DY_IMAGE, step.position, o),
    load_group(row.at + 2u * DY_IMAGE, step.position, o),
    load_group(row.at + 3u * DY_IMAGE, step.position, o),
  );
}

fn block_b(c: Column, step: Step, k4: u32) -> mat4x4f {
  let o = k4 * 4u;
  return transpose(rows_k(step.k + c.k + o, OUT_C, GROUP_OUT - o));
}

fn store_block(row: Row, c: Column, slice: u32, sum: mat4x4f) {
  store_rows(row.image, (row.y < IN_H) & (c.n < GROUP_IN), row, c, slice, sum);
}

fn finish(c: Column, sum: vec4f) -> vec4f {
  if (HAS_BIAS) {
    return activate(sum + load_bias(c.c, GROUP_IN - c.n));
  } else {
    return activate(sum);
  }
}

fn store_row(row: Row, c: Column, slice: u32, r: u32, sum: vec4f) {
  let at = (((row.image + r) * IN_H + row.y) * IN_W + row.x) * IN_C + c.c;
  if (GRADIENT_ACTIVATION != 0u) {
    store_dx(at, gradient_through(sum, load_in(at, GROUP_IN - c.n)), GROUP_IN - c.n);
  } else {
    store_dx(at, finish(c, sum), GROUP_IN - c.n);
  }
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M, WORKGROUP_Z)
fn conv2d_input_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
