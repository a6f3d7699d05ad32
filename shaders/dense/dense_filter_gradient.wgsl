// dense_filter_gradient.   dw[m,n] = sum over r of x[r,m] * dy[r,n]     db[n] = sum over r of dy[r,n]
// x [BATCH, SAMPLE_ROWS, IN]   dy [BATCH, SAMPLE_ROWS, OUT]   dw [IN, OUT]   db [OUT]
// r runs over the rows of the samples in use, by `select`.
// The bias gradient is one more row, m = IN, of the same product, whose x is 1.
// `kernel` and `bias` take dw and db, or are the parameters, stepped by them (updates/lib/stepped.wgsl).
override BATCH: u32;
override SAMPLE_ROWS: u32; // rows of a sample
override IN: u32;
override OUT: u32;
override HAS_BIAS: bool;
const INNER: u32 = (BATCH * SAMPLE_ROWS + 3u) / 4u;
const STORED_ROWS: u32 = IN;
const A_ALONG_K: bool = false;
const B_ALONG_K: bool = false;

@group(0) @binding(0) var<storage, read> state: StepState;

alias Row = u32; // the first of 4 rows of dw
alias Column = u32; // the first of 4 columns of dw
alias Step = u32; // rows in use

fn row_block(m4: u32, slice: u32) -> Row {
  return m4 * 4u;
}

fn column_block(n4: u32, slice: u32) -> Column {
  return n4 * 4u;
}

fn steps(slice: u32, row: Row) -> vec2u {
  return vec2u(0u, 1u);
}

fn step_at(t: u32, row: Row) -> Step {
  return min(state.rows, BATCH) * SAMPLE_ROWS;
}

fn block_a(m: Row, in_use: Step, k4: u32) -> mat4x4f {
  let r = k4 * 4u;
  var x = transpose(rows_where(r + vec4u(0u, 1u, 2u, 3u) < vec4u(in_use), rows_x(r * IN + m, IN, IN - m)));
  if (HAS_BIAS) {
    // unroll
    for (var i = 0u; i < 4u; i++) {
      x[i] = select(x[i], vec4f(1.0f), m + i == IN);
    }
  }
  return x;
}

fn block_b(n: Column, in_use: Step, k4: u32) -> mat4x4f {
  let r = k4 * 4u;
  return rows_where(r + vec4u(0u, 1u, 2u, 3u) < vec4u(in_use), rows_dy(r * OUT + n, OUT, OUT - n));
}

fn store_block(m: Row, n: Column, slice: u32, c: mat4x4f) {
  store_rows(m, n < OUT, m, n, slice, c);
  if (HAS_BIAS) {
    if ((m == IN / 4u * 4u) & (n < OUT)) {
      put_bias(n, c[IN % 4u], OUT - n);
    }
  }
}

fn store_row(m: Row, n: Column, slice: u32, r: u32, sum: vec4f) {
  put_kernel((m + r) * OUT + n, sum, OUT - n);
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M, WORKGROUP_Z)
fn dense_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
