// matmul.   c[m,n] = act(bias[n] + sum over k of a[m,k] * b[k,n]) * act'(y[m,n])
// a [M, K], or [K, M] where A_TRANSPOSED;   b [K, N], or [N, K] where B_TRANSPOSED;   bias [N];   y, c [M, N]
// A batch of products, each with its own a, b and c, lies one matrix after the other, in workgroup z.
// HAS_BIAS, ACTIVATION: the forward pass of a dense layer. GRADIENT_ACTIVATION: its input gradient, times the derivative
// of the activation that made the input, by that activation's output y.
override M: u32;
override N: u32;
override K: u32;
override A_TRANSPOSED: bool;
override B_TRANSPOSED: bool;
override HAS_BIAS: bool;
const A_ALONG_K: bool = !A_TRANSPOSED;
const B_ALONG_K: bool = B_TRANSPOSED;
const INNER: u32 = (K + 3u) / 4u;
const STORED_ROWS: u32 = M;
const BLOCKS_K: u32 = INNER;

struct Row {
  m: u32, // the first of 4
  c: u32, // offset in c of its matrix
  at: u32, // offset in a of its first term
}

struct Column {
  n: u32, // the first of 4
  at: u32, // offset in b of its first term
}

alias Step = u32;

fn row_block(m4: u32, slice: u32) -> Row {
  let m = m4 * 4u;
  if (A_TRANSPOSED) {
    return Row(m, slice * (M * N), slice * (M * K) + m);
  } else {
    return Row(m, slice * (M * N), slice * (M * K) + m * K);
  }
}

fn column_block(n4: u32, slice: u32) -> Column {
  let n = n4 * 4u;
  if (B_TRANSPOSED) {
    return Column(n, slice * (K * N) + n * K);
  } else {
    return Column(n, slice * (K * N) + n);
  }
}

fn steps(slice: u32, row: Row) -> vec2u {
  return vec2u(0u, 1u);
}

fn step_at(t: u32, row: Row) -> Step {
  return t;
}

fn step_of_column(t: u32) -> Step {
  return t;
}

// The rows of an operand from k on, with zeros past the last.
fn rows_of_k(k: u32, rows: mat4x4f) -> mat4x4f {
  if (K % 4u != 0u) {
    return rows_where(k + vec4u(0u, 1u, 2u, 3u) < vec4u(K), rows);
  } else {
    return rows;
  }
}

fn block_a(row: Row, step: Step, k4: u32) -> mat4x4f {
  let k = k4 * 4u;
  if (A_TRANSPOSED) {
    return transpose(rows_of_k(k, rows_a(row.at + k * M, M, M - row.m)));
  } else {
    return rows_a(row.at + k, K, K - k);
  }
}

fn block_b(column: Column, step: Step, k4: u32) -> mat4x4f {
  let k = k4 * 4u;
  if (B_TRANSPOSED) {
    return transpose(rows_b(column.at + k, K, K - k));
  } else {
    return rows_of_k(k, rows_b(column.at + k * N, N, N - column.n));
  }
}

fn store_block(row: Row, column: Column, slice: u32, c: mat4x4f) {
  store_rows(row.m, column.n < N, row, column, slice, c);
}

fn store_row(row: Row, column: Column, slice: u32, r: u32, sum: vec4f) {
  let n = column.n;
  let at = row.c + (row.m + r) * N + n;
  var value = sum;
  if (HAS_BIAS) {
    value += load_bias(n, N - n);
  }
  value = activate(value);
  if (GRADIENT_ACTIVATION != 0u) {
    value = gradient_through(value, load_y(at, N - n));
  }
  store_c(at, value, N - n);
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M, WORKGROUP_Z)
fn matmul(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
