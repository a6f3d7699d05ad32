// conv2d_filter_gradient, NHWC.
// partial[s, (i,j,c), o] = sum over n,h,w of slice s of x[n, h*STRIDE_H+i-PAD_H, w*STRIDE_W+j-PAD_W, c] * dy[n,h,w,o]
// x [BATCH, IN_H, IN_W, IN_C]   dy [BATCH, OUT_H, OUT_W, OUT_C]   partial [SLICES, K_H*K_W*IN_C (+ 1), OUT_C]
//
// The long sum over positions is cut into SLICES, one a workgroup in z, which conv2d_filter_gradient_sum adds up in a
// fixed order. One step is one row (n, h) of dy and its blocks are 4 positions along w; rows of images that are not in
// use end the loop. The bias gradient is one more row of the product, whose x is 1.
const BATCH: u32 = 1u;
const IN_H: u32 = 1u;
const IN_W: u32 = 1u;
const IN_C: u32 = 1u;
const K_H: u32 = 1u;
const K_W: u32 = 1u;
const OUT_H: u32 = 1u;
const OUT_W: u32 = 1u;
const OUT_C: u32 = 1u;
const STRIDE_H: u32 = 1u;
const STRIDE_W: u32 = 1u;
const PAD_H: u32 = 0u;
const PAD_W: u32 = 0u;
const PADDED: bool = false; // some patch reaches outside x, on whichever side
const HAS_BIAS: bool = true;
const SLICES: u32 = 1u;

const WEIGHTS: u32 = K_H * K_W * IN_C;
const ROWS: u32 = WEIGHTS + u32(HAS_BIAS);
const STEPS_PER_SLICE: u32 = (BATCH * OUT_H + SLICES - 1u) / SLICES;
const INNER: u32 = (OUT_W + 3u) / 4u;
const BY_TAP: bool = IN_C % 4u == 0u; // 4 rows are then 4 channels of one tap

@group(0) @binding(0) var<storage, read> state: array<u32>;

struct Row {
  m: u32, // the first of 4 rows (i, j, c)
  i: vec4i,
  j: vec4i,
  offset: vec4i, // of the row's element of x from the first element of a patch
}

alias Column = u32; // the first of 4 channels of dy

struct Step {
  image: u32,
  h: u32,
}

fn row_block(m4: u32) -> Row {
  let m = m4 * 4u + vec4u(0u, 1u, 2u, 3u);
  let i = vec4i(m / (K_W * IN_C));
  let j = vec4i(m / IN_C % K_W);
  return Row(m4 * 4u, i, j, (i * i32(IN_W) + j) * i32(IN_C) + vec4i(m % IN_C));
}

fn column_block(n4: u32) -> Column {
  return n4 * 4u;
}

fn steps(slice: u32, row: Row) -> vec2u {
  let first = slice * STEPS_PER_SLICE;
  return vec2u(first, min(first + STEPS_PER_SLICE, state[STATE_ROWS] * OUT_H));
}

fn step_at(t: u32, row: Row) -> Step {
  return Step(t / OUT_H, t % OUT_H);
}

fn inside(h: vec4i, w: vec4i) -> vec4<bool> {
  // As unsigned numbers, those before the first are larger than any size.
  return (vec4u(h) < vec4u(IN_H)) & (vec4u(w) < vec4u(IN_W));
}

fn block_a(row: Row, step: Step, k4: u32) -> mat4x4f {
  let w = k4 * 4u + vec4u(0u, 1u, 2u, 3u); // of dy
  let patch_h = i32(step.h * STRIDE_H) - i32(PAD_H);
  let patch_w = vec4i(w * STRIDE_W) - i32(PAD_W);
  let base = ((i32(step.image * IN_H) + patch_h) * i32(IN_W) + patch_w) * i32(IN_C);
  var a: mat4x4f;
  if (BY_TAP) {
    let at = vec4u(base + row.offset.x);
    a = mat4x4f(load_x(at.x, 4u), load_x(at.y, 4u), load_x(at.z, 4u), load_x(at.w, 4u));
    if (PADDED) {
      let real = inside(vec4i(patch_h + row.i.x), patch_w + row.j.x);
      // unroll
      for (var q = 0u; q < 4u; q++) {
        a[q] = select(vec4f(0.0f), a[q], real[q]);
      }
    }
    a = transpose(a);
  } else {
    // unroll
    for (var r = 0u; r < 4u; r++) {
      let at = vec4u(base + row.offset[r]);
      a[r] = vec4f(element_x(at.x), element_x(at.y), element_x(at.z), element_x(at.w));
      if (PADDED) {
        a[r] = select(vec4f(0.0f), a[r], inside(vec4i(patch_h + row.i[r]), patch_w + row.j[r]));
      }
    }
  }
  // unroll
  for (var r = 0u; r < 4u; r++) {
    if (HAS_BIAS) {
      a[r] = select(a[r], vec4f(1.0f), row.m + r == WEIGHTS);
    }
    if (OUT_W % 4u != 0u) {
      a[r] = select(vec4f(0.0f), a[r], w < vec4u(OUT_W));
    }
  }
  return a;
}

fn row_of_dy(step: Step, w: u32, o: u32) -> vec4f {
  let value = load_incoming(step.image, step.h, w, o);
  if (OUT_W % 4u != 0u) {
    return select(vec4f(0.0f), value, w < OUT_W);
  } else {
    return value;
  }
}

fn block_b(o: Column, step: Step, k4: u32) -> mat4x4f {
  let w = k4 * 4u;
  return mat4x4f(row_of_dy(step, w, o), row_of_dy(step, w + 1u, o), row_of_dy(step, w + 2u, o), row_of_dy(step, w + 3u, o));
}

fn store_block(row: Row, o: Column, slice: u32, sum: mat4x4f) {
  // unroll
  for (var r = 0u; r < 4u; r++) {
    if (row.m + r < ROWS && o < OUT_C) {
      store_partial((slice * ROWS + row.m + r) * OUT_C + o, sum[r], OUT_C - o);
    }
  }
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M)
fn conv2d_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
