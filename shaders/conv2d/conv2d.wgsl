// conv2d, NHWC.   y[n,h,w,o] = act(bias[o] + sum over i,j,c of x[n, h*STRIDE_H+i-PAD_H, w*STRIDE_W+j-PAD_W, c] * k[i,j,c,o])
// x [BATCH, IN_H, IN_W, IN_C]   k [K_H, K_W, IN_C, OUT_C]   bias [OUT_C]   y [BATCH, OUT_H, OUT_W, OUT_C]
//
// It is the matrix product of the patches, [BATCH*OUT_H*OUT_W, K_H*K_W*IN_C], which are never stored, and k.
// POOL: a pooling by disjoint windows of 4 follows in registers (pooling/lib/pooled_window.wgsl). The 4 rows of a block are then one
// window, y is [BATCH, POOLED_H, POOLED_W, OUT_C], and routes takes the places where its gradient goes, a byte a channel.
override HAS_BIAS: bool;
override POOL: bool;

const POSITIONS: u32 = BATCH * OUT_H * OUT_W;
const STORED_ROWS: u32 = POSITIONS;
const TERMS: u32 = K_H * K_W * IN_C;
// If channels come in fours, a step is one row i of the kernel, whose terms (j, c) lie side by side in x and in k. Otherwise one step
// runs over all terms.
const BY_ROW: bool = IN_C % 4u == 0u;
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

alias Column = u32; // the first of 4 channels of y

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
  let patches = patches_of(positions, vec4i(image * X_IMAGE));
  return Row(m4, patches.h, patches.w, patches.at);
}

fn column_block(n4: u32, slice: u32) -> Column {
  return n4 * 4u;
}

fn steps(slice: u32, row: Row) -> vec2u {
  return vec2u(0u, STEPS);
}

fn step_at(t: u32, row: Row) -> Step {
  return step_of_column(t);
}

fn step_of_column(t: u32) -> Step {
  return Step(i32(t), i32(t * IN_W * IN_C), t * K_W * IN_C * OUT_C);
}

fn block_a(row: Row, step: Step, k4: u32) -> mat4x4f {
  if (BY_ROW) {
    let j = i32(k4 * 4u / IN_C);
    return load_channels(row.at + (step.offset + i32(k4 * 4u)), row.h + step.i, row.w + j);
  } else {
    return load_terms(row, k4 * 4u + vec4u(0u, 1u, 2u, 3u));
  }
}

// Four terms of four patches, each element on its own: for few or odd channels.
fn load_terms(row: Row, term: vec4u) -> mat4x4f {
  let i = vec4i(term / (K_W * IN_C));
  let j = vec4i(term / IN_C % K_W);
  let offset = (i * i32(IN_W) + j) * i32(IN_C) + vec4i(term % IN_C);
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
  let k = rows_k(step.k + term * OUT_C + n, OUT_C, OUT_C - n);
  if (TERMS % 4u != 0u) {
    return rows_where(term + vec4u(0u, 1u, 2u, 3u) < vec4u(TERMS), k);
  } else {
    return k;
  }
}

fn finish(n: u32, sum: vec4f) -> vec4f {
  if (HAS_BIAS) {
    return activate(sum + load_bias(n, OUT_C - n));
  } else {
    return activate(sum);
  }
}

fn store_block(row: Row, n: Column, slice: u32, c: mat4x4f) {
  if (POOL) {
    if ((row.m4 < BATCH * POOLED_H * POOLED_W) & (n < OUT_C)) {
      store_window(row.m4, n, c);
    }
  } else {
    store_rows(row.m4 * 4u, n < OUT_C, row, n, slice, c);
  }
}

fn store_row(row: Row, n: Column, slice: u32, r: u32, sum: vec4f) {
  store_y((row.m4 * 4u + r) * OUT_C + n, finish(n, sum), OUT_C - n);
}

fn store_window(pixel: u32, n: u32, c: mat4x4f) {
  let pooled = pool(finish(n, c[0]), finish(n, c[1]), finish(n, c[2]), finish(n, c[3]));
  store_y(pixel * OUT_C + n, pooled.y, OUT_C - n);
  routes[pixel * ((OUT_C + 3u) / 4u) + n / 4u] = packed(pooled.bits);
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M, WORKGROUP_Z)
fn conv2d(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
