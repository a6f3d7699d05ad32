// conv2d_filter_gradient, NHWC.
// partial[s, (i,j,c), o] = sum over n,h,w of slice s of x[n, h*STRIDE_H+i-PAD_H, w*STRIDE_W+j-PAD_W, c] * dy[n,h,w,o]
// x [BATCH, IN_H, IN_W, IN_C]   dy [BATCH, OUT_H, OUT_W, OUT_C]   partial [SLICES, K_H*K_W*IN_C (+ 1), OUT_C]
//
// The long sum over positions is cut into SLICES, one a workgroup in z, which conv2d_filter_gradient_sum adds up in a
// fixed order. One step is STEP_ROWS rows of blocks, each of 4 positions: along w or, where UNPOOL, of a window, which share
// what there is to load; images that are not in use end the loop. The bias gradient is one more row of the product, whose x is 1.
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
const BLOCK_ROWS: u32 = select(OUT_H, POOLED_H, UNPOOL); // of an image
const BLOCKS_PER_ROW: u32 = select((OUT_W + 3u) / 4u, POOLED_W, UNPOOL);
const STEP_ROWS: u32 = 1u; // divides BLOCK_ROWS
const STEPS_PER_IMAGE: u32 = BLOCK_ROWS / STEP_ROWS;
const STEPS_PER_SLICE: u32 = (BATCH * STEPS_PER_IMAGE + SLICES - 1u) / SLICES;
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
  image_at: u32, // offset of its image in dy
  row: u32, // the first row of blocks
  x_at: i32, // offset of its image in x
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
  return Step(image * DY_IMAGE, t % STEPS_PER_IMAGE * STEP_ROWS, i32(image * IN_H * IN_W * IN_C));
}

fn inside(h: vec4i, w: vec4i) -> vec4<bool> {
  // As unsigned numbers, those before the first are larger than any size.
  return (vec4u(h) < vec4u(IN_H)) & (vec4u(w) < vec4u(IN_W));
}

// The 4 positions of a block in dy.
struct Positions {
  h: vec4u,
  w: vec4u,
}

fn positions_of(step: Step, k4: u32) -> Positions {
  let row = step.row + k4 / BLOCKS_PER_ROW;
  let column = k4 % BLOCKS_PER_ROW;
  if (UNPOOL) {
    return Positions(row * POOL_H + vec4u(0u, 1u, 2u, 3u) / POOL_W, column * POOL_W + vec4u(0u, 1u, 2u, 3u) % POOL_W);
  } else {
    return Positions(vec4u(row), column * 4u + vec4u(0u, 1u, 2u, 3u));
  }
}

fn block_a(row: Row, step: Step, k4: u32) -> mat4x4f {
  let positions = positions_of(step, k4);
  // The first element of each position's patch in x, which padding may put outside.
  let h = vec4i(positions.h * STRIDE_H) - i32(PAD_H);
  let w = vec4i(positions.w * STRIDE_W) - i32(PAD_W);
  let base = step.x_at + (h * i32(IN_W) + w) * i32(IN_C);
  var a: mat4x4f;
  if (BY_TAP) {
    a = transpose(four_channels(row, h, w, base));
  } else {
    a = mat4x4f(
      one_channel(row, h, w, base, 0u),
      one_channel(row, h, w, base, 1u),
      one_channel(row, h, w, base, 2u),
      one_channel(row, h, w, base, 3u),
    );
  }
  return mat4x4f(
    finish_row(a[0], row.m, positions.w),
    finish_row(a[1], row.m + 1u, positions.w),
    finish_row(a[2], row.m + 2u, positions.w),
    finish_row(a[3], row.m + 3u, positions.w),
  );
}

// Four channels of x at each of the four positions that the tap reaches.
fn four_channels(row: Row, h: vec4i, w: vec4i, base: vec4i) -> mat4x4f {
  let at = vec4u(base + row.offset.x);
  let x = mat4x4f(load_x(at.x, 4u), load_x(at.y, 4u), load_x(at.z, 4u), load_x(at.w, 4u));
  if (PADDED) {
    let real = inside(h + row.i.x, w + row.j.x);
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
fn one_channel(row: Row, h: vec4i, w: vec4i, base: vec4i, r: u32) -> vec4f {
  let at = vec4u(base + row.offset[r]);
  let x = vec4f(element_x(at.x), element_x(at.y), element_x(at.z), element_x(at.w));
  if (PADDED) {
    return select(vec4f(0.0f), x, inside(h + row.i[r], w + row.j[r]));
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
  if (!UNPOOL && OUT_W % 4u != 0u) {
    value = select(vec4f(0.0f), value, w < vec4u(OUT_W));
  }
  return value;
}

fn block_b(o: Column, step: Step, k4: u32) -> mat4x4f {
  let row = step.row + k4 / BLOCKS_PER_ROW;
  let column = k4 % BLOCKS_PER_ROW;
  if (UNPOOL) {
    return load_window(step.image_at, row, column, o);
  } else {
    let at = step.image_at + (row * OUT_W + column * 4u) * OUT_C + o;
    return mat4x4f(
      dy_in_row(at, column * 4u, o),
      dy_in_row(at + OUT_C, column * 4u + 1u, o),
      dy_in_row(at + 2u * OUT_C, column * 4u + 2u, o),
      dy_in_row(at + 3u * OUT_C, column * 4u + 3u, o),
    );
  }
}

fn dy_in_row(at: u32, w: u32, o: u32) -> vec4f {
  let dy = load_dy(at, OUT_C - o);
  if (OUT_W % 4u != 0u) {
    return select(vec4f(0.0f), dy, w < OUT_W);
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

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M, WORKGROUP_Z)
fn conv2d_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
