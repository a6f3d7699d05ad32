// conv2d_filter_gradient, NHWC.
// partial[s, (i,j,c), o] = sum over n,h,w of slice s of x[n, h*STRIDE_H+i*DILATION_H-PAD_H, w*STRIDE_W+j*DILATION_W-PAD_W, c] * dy[n,h,w,o]
// x [BATCH, IN_H, IN_W, IN_C]   dy [BATCH, OUT_H, OUT_W, OUT_C]   partial [SLICES, K_H*K_W*GROUP_IN (+ 1), OUT_C]
//
// The long sum over positions is cut into SLICES, which conv2d_filter_gradient_sum adds up in a fixed order. Each slice of each of
// GROUPS is one workgroup in z.
// One step is STEP_ROWS rows of blocks of 4 positions: along w or, with UNPOOL, of a window, whose positions share their loads. Images
// not in use end the loop. The bias gradient is one more row of the product, whose x is 1.
override HAS_BIAS: bool;
override SLICES: u32;

const WEIGHTS: u32 = K_H * K_W * GROUP_IN;
const ROWS: u32 = WEIGHTS + u32(HAS_BIAS);
const BLOCK_ROWS: u32 = select(OUT_H, POOLED_H, UNPOOL); // of an image
const BLOCKS_PER_ROW: u32 = select((OUT_W + 3u) / 4u, POOLED_W, UNPOOL);
override STEP_ROWS: u32; // divides BLOCK_ROWS
const STEPS_PER_IMAGE: u32 = BLOCK_ROWS / STEP_ROWS;
const STEPS_PER_SLICE: u32 = (BATCH * STEPS_PER_IMAGE + SLICES - 1u) / SLICES;
const INNER: u32 = STEP_ROWS * BLOCKS_PER_ROW;
const STORED_ROWS: u32 = select(ROWS, WEIGHTS, WEIGHTS % 4u == 0u); // the row of the bias may be stored apart
const A_ALONG_K: bool = false;
const B_ALONG_K: bool = false;
const BY_TAP: bool = GROUP_IN % 4u == 0u; // 4 rows are then 4 channels of one tap

@group(0) @binding(0) var<storage, read> state: StepState;

struct Row {
  m: u32, // the first of 4 rows (i, j, c)
  i: vec4i,
  j: vec4i,
  offset: vec4i, // of the row's element of x from the first element of a patch
}

struct Column {
  n: u32, // the first of 4 channels in the group
  o: u32, // and in dy
}

struct Step {
  image_at: u32, // offset of its image in dy
  row: u32, // the first row of blocks
  x_at: i32, // offset of its image in x
}

fn row_block(m4: u32, slice: u32) -> Row {
  let m = m4 * 4u + vec4u(0u, 1u, 2u, 3u);
  let i = vec4i(m / (K_W * GROUP_IN) * DILATION_H);
  let j = vec4i(m / GROUP_IN % K_W * DILATION_W);
  return Row(m4 * 4u, i, j, (i * i32(IN_W) + j) * i32(IN_C) + vec4i(m % GROUP_IN + first_input(slice % GROUPS)));
}

fn column_block(n4: u32, slice: u32) -> Column {
  return Column(n4 * 4u, first_output(slice % GROUPS) + n4 * 4u);
}

fn steps(slice: u32, row: Row) -> vec2u {
  let first = slice / GROUPS * STEPS_PER_SLICE;
  return vec2u(first, min(first + STEPS_PER_SLICE, state.rows * STEPS_PER_IMAGE));
}

fn step_at(t: u32, row: Row) -> Step {
  let image = t / STEPS_PER_IMAGE;
  return Step(image * DY_IMAGE, t % STEPS_PER_IMAGE * STEP_ROWS, i32(image * X_IMAGE));
}

fn positions_of(step: Step, k4: u32) -> Positions {
  let row = step.row + k4 / BLOCKS_PER_ROW;
  let column = k4 % BLOCKS_PER_ROW;
  if (UNPOOL) {
    return positions_of_window(row, column);
  } else {
    return Positions(vec4u(row), column * 4u + vec4u(0u, 1u, 2u, 3u));
  }
}

fn block_a(row: Row, step: Step, k4: u32) -> mat4x4f {
  let positions = positions_of(step, k4);
  let patches = patches_of(positions, vec4i(step.x_at));
  var a: mat4x4f;
  if (BY_TAP) {
    a = transpose(load_channels(patches.at + row.offset.x, patches.h + row.i.x, patches.w + row.j.x));
  } else {
    // unroll
    for (var r = 0u; r < 4u; r++) {
      a[r] = load_channel(patches.at + row.offset[r], patches.h + row.i[r], patches.w + row.j[r]);
    }
  }
  // The row of the bias is all ones. Positions past the end of dy's row count as 0.
  // unroll
  for (var r = 0u; r < 4u; r++) {
    if (HAS_BIAS) {
      a[r] = select(a[r], vec4f(1.0f), row.m + r == WEIGHTS);
    }
    if (!UNPOOL && OUT_W % 4u != 0u) {
      a[r] = select(vec4f(0.0f), a[r], positions.w < vec4u(OUT_W));
    }
  }
  return a;
}

fn block_b(o: Column, step: Step, k4: u32) -> mat4x4f {
  let row = step.row + k4 / BLOCKS_PER_ROW;
  let column = k4 % BLOCKS_PER_ROW;
  if (UNPOOL) {
    return load_window(step.image_at, row, column, o.o);
  } else {
    let dy = rows_dy(step.image_at + (row * OUT_W + column * 4u) * OUT_C + o.o, OUT_C, GROUP_OUT - o.n);
    if (OUT_W % 4u != 0u) {
      return rows_where(column * 4u + vec4u(0u, 1u, 2u, 3u) < vec4u(OUT_W), dy);
    } else {
      return dy;
    }
  }
}

fn store_block(row: Row, o: Column, slice: u32, sum: mat4x4f) {
  store_rows(row.m, o.n < GROUP_OUT, row, o, slice, sum);
  if (STORED_ROWS < ROWS) {
    if ((row.m == WEIGHTS) & (o.n < GROUP_OUT)) {
      store_row(row, o, slice, 0u, sum[0]);
    }
  }
}

fn store_row(row: Row, o: Column, slice: u32, r: u32, sum: vec4f) {
  store_partial((slice / GROUPS * ROWS + row.m + r) * OUT_C + o.o, sum, GROUP_OUT - o.n);
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M, WORKGROUP_Z)
fn conv2d_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
