// conv2d_filter_gradient, NHWC.
// partial[s, (i,j,c), o] = sum over n,h,w of slice s of x[n, h*STRIDE_H+i-PAD_H, w*STRIDE_W+j-PAD_W, c] * dy[n,h,w,o]
// x [BATCH, IN_H, IN_W, IN_C]   dy [BATCH, OUT_H, OUT_W, OUT_C]   partial [SLICES, K_H*K_W*IN_C (+ 1), OUT_C]
//
// The long sum over positions is cut into SLICES, one a workgroup in z, which conv2d_filter_gradient_sum adds up in a
// fixed order. One step is STEP_ROWS rows (n, h) of dy, and its blocks are 4 positions along w; images that are not in use
// end the loop. The bias gradient is one more row of the product, whose x is 1.
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
const STEP_ROWS: u32 = 1u; // divides OUT_H
const STEPS_PER_IMAGE: u32 = OUT_H / STEP_ROWS;
const STEPS_PER_SLICE: u32 = (BATCH * STEPS_PER_IMAGE + SLICES - 1u) / SLICES;
const BLOCKS_PER_ROW: u32 = (OUT_W + 3u) / 4u;
const INNER: u32 = STEP_ROWS * BLOCKS_PER_ROW;
const A_ALONG_K: bool = false;
const B_ALONG_K: bool = false;
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
  h: u32, // the first row of dy
  dy_at: u32, // offset of its image in dy
  patch_h: i32, // first row of the patches in x
  x_at: i32, // offset in x of the first patch's first element, which padding may put outside
}

fn row_block(m4: u32, slice: u32) -> Row {
  let m = m4 * 4u + vec4u(0u, 1u, 2u, 3u);
  let i = vec4i(m / (K_W * IN_C));
  let j = vec4i(m / IN_C % K_W);
  return Row(m4 * 4u, i, j, (i * i32(IN_W) + j) * i32(IN_C) + vec4i(m % IN_C));
}

fn column_block(n4: u32, slice: u32) -> Column {
  return n4 * 4u;
}

fn steps(slice: u32, row: Row) -> vec2u {
  let first = slice * STEPS_PER_SLICE;
  return vec2u(first, min(first + STEPS_PER_SLICE, state[STATE_ROWS] * STEPS_PER_IMAGE));
}

fn step_at(t: u32, row: Row) -> Step {
  let image = t / STEPS_PER_IMAGE;
  let h = t % STEPS_PER_IMAGE * STEP_ROWS;
  let patch_h = i32(h * STRIDE_H) - i32(PAD_H);
  let x_at = ((i32(image * IN_H) + patch_h) * i32(IN_W) - i32(PAD_W)) * i32(IN_C);
  return Step(h, image * DY_IMAGE, patch_h, x_at);
}

fn inside(h: vec4i, w: vec4i) -> vec4<bool> {
  // As unsigned numbers, those before the first are larger than any size.
  return (vec4u(h) < vec4u(IN_H)) & (vec4u(w) < vec4u(IN_W));
}

fn block_a(row: Row, step: Step, k4: u32) -> mat4x4f {
  let h = k4 / BLOCKS_PER_ROW * STRIDE_H; // of x, from the step's first row
  let w = k4 % BLOCKS_PER_ROW * 4u + vec4u(0u, 1u, 2u, 3u); // of dy
  let base = step.x_at + i32(h * (IN_W * IN_C)) + vec4i(w * (STRIDE_W * IN_C));
  let patch_h = step.patch_h + i32(h);
  var a: mat4x4f;
  if (BY_TAP) {
    a = transpose(four_channels(row, patch_h, w, base));
  } else {
    a = mat4x4f(
      one_channel(row, patch_h, w, base, 0u),
      one_channel(row, patch_h, w, base, 1u),
      one_channel(row, patch_h, w, base, 2u),
      one_channel(row, patch_h, w, base, 3u),
    );
  }
  return mat4x4f(
    finish_row(a[0], row.m, w),
    finish_row(a[1], row.m + 1u, w),
    finish_row(a[2], row.m + 2u, w),
    finish_row(a[3], row.m + 3u, w),
  );
}

// Four channels of x at each of the four positions that the tap reaches.
fn four_channels(row: Row, patch_h: i32, w: vec4u, base: vec4i) -> mat4x4f {
  let at = vec4u(base + row.offset.x);
  let x = mat4x4f(load_x(at.x, 4u), load_x(at.y, 4u), load_x(at.z, 4u), load_x(at.w, 4u));
  if (PADDED) {
    let real = inside(vec4i(patch_h + row.i.x), vec4i(w * STRIDE_W) - i32(PAD_W) + row.j.x);
    let none = vec4f(0.0f);
    return mat4x4f(
      select(none, x[0], real.x),
      select(none, x[1], real.y),
      select(none, x[2], real.z),
      select(none, x[3], real.w),
    );
  } else {
    return x;
  }
}

// Row r's channel of x at each of the four positions that its tap reaches.
fn one_channel(row: Row, patch_h: i32, w: vec4u, base: vec4i, r: u32) -> vec4f {
  let at = vec4u(base + row.offset[r]);
  let x = vec4f(element_x(at.x), element_x(at.y), element_x(at.z), element_x(at.w));
  if (PADDED) {
    let real = inside(vec4i(patch_h + row.i[r]), vec4i(w * STRIDE_W) - i32(PAD_W) + row.j[r]);
    return select(vec4f(0.0f), x, real);
  } else {
    return x;
  }
}

// The row of the bias is all ones; positions past the end of dy's row count nothing.
fn finish_row(x: vec4f, m: u32, w: vec4u) -> vec4f {
  var value = x;
  if (HAS_BIAS) {
    value = select(value, vec4f(1.0f), m == WEIGHTS);
  }
  if (OUT_W % 4u != 0u) {
    value = select(vec4f(0.0f), value, w < vec4u(OUT_W));
  }
  return value;
}

fn block_b(o: Column, step: Step, k4: u32) -> mat4x4f {
  let h = step.h + k4 / BLOCKS_PER_ROW;
  let w = k4 % BLOCKS_PER_ROW * 4u;
  let dy = load_incoming_4(step.dy_at, h, w, o);
  if (OUT_W % 4u != 0u) {
    let none = vec4f(0.0f);
    return mat4x4f(
      select(none, dy[0], w < OUT_W),
      select(none, dy[1], w + 1u < OUT_W),
      select(none, dy[2], w + 2u < OUT_W),
      select(none, dy[3], w + 3u < OUT_W),
    );
  } else {
    return dy;
  }
}

fn store_block(row: Row, o: Column, slice: u32, sum: mat4x4f) {
  let at = (slice * ROWS + row.m) * OUT_C + o;
  if (WEIGHTS % 4u == 0u) {
    if (row.m < WEIGHTS && o < OUT_C) {
      // unroll
      for (var r = 0u; r < 4u; r++) {
        store_partial(at + r * OUT_C, sum[r], OUT_C - o);
      }
    }
    if (HAS_BIAS) {
      if (row.m == WEIGHTS && o < OUT_C) {
        store_partial(at, sum[0], OUT_C - o);
      }
    }
  } else {
    // unroll
    for (var r = 0u; r < 4u; r++) {
      if (row.m + r < ROWS && o < OUT_C) {
        store_partial(at + r * OUT_C, sum[r], OUT_C - o);
      }
    }
  }
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M)
fn conv2d_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
