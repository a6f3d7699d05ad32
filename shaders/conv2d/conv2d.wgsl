// conv2d, NHWC.
// y[n,h,w,o] = act(bias[o] + sum over i,j,c of x[n, h*STRIDE_H+i*DILATION_H-PAD_H, w*STRIDE_W+j*DILATION_W-PAD_W, c] * k[i,j,c,o])
// x [BATCH, IN_H, IN_W, IN_C]   k [K_H, K_W, GROUP_IN, OUT_C]   bias [OUT_C]   y [BATCH, OUT_H, OUT_W, OUT_C]
//
// It is the matrix product of the patches, [BATCH*OUT_H*OUT_W, K_H*K_W*IN_C], which are never stored, and k. Each of GROUPS is such a
// product in workgroup z, of its own channels of x and y: c then counts from the group's first channel.
// GRADIENT_ACTIVATION: y is the gradient of a transposed convolution's input, times the derivative by that input, `in`.
// POOL: a pooling by disjoint windows of 4 follows in registers (pooling/lib/pooled_window.wgsl). The 4 rows of a block are then one
// window, y is [BATCH, POOLED_H, POOLED_W, OUT_C], and routes takes the places where its gradient goes, a byte a channel.
override HAS_BIAS: bool;
override POOL: bool;

const POSITIONS: u32 = BATCH * OUT_H * OUT_W;
const STORED_ROWS: u32 = POSITIONS;
const TERMS: u32 = K_H * K_W * GROUP_IN;
// If channels of a group come in fours, a step is one row i of the kernel, whose terms (j, c) lie side by side in k and, at each j,
// in x. Otherwise one step runs over all terms.
const BY_ROW: bool = GROUP_IN % 4u == 0u;
const STEPS: u32 = select(1u, K_H, BY_ROW);
const BLOCKS_K: u32 = (TERMS + 3u) / 4u;
const INNER: u32 = BLOCKS_K / STEPS;
const A_ALONG_K: bool = true;
const B_ALONG_K: bool = false;

@group(0) @binding(0) var<storage, read_write> routes: array<u32>;

struct Row {
  m4: u32,
  h: vec4i, // of each patch's first element in x, which padding may put outside
  w: vec4i,
  at: vec4i, // its offset in x
}

struct Column {
  n: u32, // the first of 4 channels in the group
  o: u32, // and in y
}

struct Step {
  i: i32,
  offset: i32, // of row i in x, from the patch's first element
  k: u32, // of the first term in k
}

fn row_block(m4: u32, slice: u32) -> Row {
  var image: vec4u;
  var positions: Positions;
  if (POOL) {
    image = vec4u(m4 / (POOLED_H * POOLED_W));
    positions = positions_of_window(m4 / POOLED_W % POOLED_H, m4 % POOLED_W);
  } else {
    let m = m4 * 4u + vec4u(0u, 1u, 2u, 3u);
    image = m / (OUT_H * OUT_W);
    positions = Positions(m / OUT_W % OUT_H, m % OUT_W);
  }
  let patches = patches_of(positions, vec4i(image * X_IMAGE + first_input(slice)));
  return Row(m4, patches.h, patches.w, patches.at);
}

fn column_block(n4: u32, slice: u32) -> Column {
  return Column(n4 * 4u, first_output(slice) + n4 * 4u);
}

fn steps(slice: u32, row: Row) -> vec2u {
  return vec2u(0u, STEPS);
}

fn step_at(t: u32, row: Row) -> Step {
  return step_of_column(t);
}

fn step_of_column(t: u32) -> Step {
  return Step(i32(t * DILATION_H), i32(t * DILATION_H * IN_W * IN_C), t * K_W * GROUP_IN * OUT_C);
}

fn block_a(row: Row, step: Step, k4: u32) -> mat4x4f {
  if (BY_ROW) {
    let j = k4 * 4u / GROUP_IN;
    let at = step.offset + i32(k4 * 4u + j * (DILATION_W * IN_C - GROUP_IN));
    return load_channels(row.at + at, row.h + step.i, row.w + i32(j * DILATION_W));
  } else {
    return load_terms(row, k4 * 4u + vec4u(0u, 1u, 2u, 3u));
  }
}

// Four terms of four patches, each element on its own: for few or odd channels.
fn load_terms(row: Row, term: vec4u) -> mat4x4f {
  let i = vec4i(term / (K_W * GROUP_IN) * DILATION_H);
  let j = vec4i(term / GROUP_IN % K_W * DILATION_W);
  let offset = (i * i32(IN_W) + j) * i32(IN_C) + vec4i(term % GROUP_IN);
  var a: mat4x4f;
  // unroll
  for (var r = 0u; r < 4u; r++) {
    a[r] = load_channel(row.at[r] + offset, row.h[r] + i, row.w[r] + j);
    if (TERMS % 4u != 0u) {
      a[r] = select(vec4f(0.0f), a[r], term < vec4u(TERMS));
    }
  }
  return a;
}

fn block_b(n: Column, step: Step, k4: u32) -> mat4x4f {
  let term = k4 * 4u; // among all terms only if they are not cut into steps
  let k = rows_k(step.k + term * OUT_C + n.o, OUT_C, GROUP_OUT - n.n);
  if (TERMS % 4u != 0u) {
    return rows_where(term + vec4u(0u, 1u, 2u, 3u) < vec4u(TERMS), k);
  } else {
    return k;
  }
}

fn finish(n: Column, sum: vec4f) -> vec4f {
  if (HAS_BIAS) {
    return activate(sum + load_bias(n.o, GROUP_OUT - n.n));
  } else {
    return activate(sum);
  }
}

fn store_block(row: Row, n: Column, slice: u32, c: mat4x4f) {
  if (POOL) {
    if ((row.m4 < BATCH * POOLED_H * POOLED_W) & (n.n < GROUP_OUT)) {
      store_window(row.m4, n, c);
    }
  } else {
    store_rows(row.m4 * 4u, n.n < GROUP_OUT, row, n, slice, c);
  }
}

fn store_row(row: Row, n: Column, slice: u32, r: u32, sum: vec4f) {
  let at = (row.m4 * 4u + r) * OUT_C + n.o;
  if (GRADIENT_ACTIVATION != 0u) {
    store_y(at, gradient_through(sum, load_in(at, GROUP_OUT - n.n)), GROUP_OUT - n.n);
  } else {
    store_y(at, finish(n, sum), GROUP_OUT - n.n);
  }
}

fn store_window(pixel: u32, n: Column, c: mat4x4f) {
  let pooled = pool(finish(n, c[0]), finish(n, c[1]), finish(n, c[2]), finish(n, c[3]));
  store_y(pixel * OUT_C + n.o, pooled.y, OUT_C - n.o);
  routes[pixel * ((OUT_C + 3u) / 4u) + n.o / 4u] = packed(pooled.bits);
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M, WORKGROUP_Z)
fn conv2d(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
