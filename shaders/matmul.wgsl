// matmul.   c[m,n] = act(bias[n] + sum over k of a[m,k] * b[k,n]) * act'(y[m,n])
// a [M, K], or [K, M] where A_TRANSPOSED;   b [K, N], or [N, K] where B_TRANSPOSED;   bias [N];   y, c [M, N]
// HAS_BIAS, ACTIVATION: the forward pass of a dense layer. GRADIENT_ACTIVATION: its input gradient, times the derivative
// of the activation that made the input, by that activation's output y.
const M: u32 = 1u;
const N: u32 = 1u;
const K: u32 = 1u;
const A_TRANSPOSED: bool = false;
const B_TRANSPOSED: bool = false;
const HAS_BIAS: bool = false;
const INNER: u32 = (K + 3u) / 4u;

alias Row = u32; // the first of 4 rows
alias Column = u32; // the first of 4 columns
alias Step = u32;

fn row_block(m4: u32) -> Row {
  return m4 * 4u;
}

fn column_block(n4: u32) -> Column {
  return n4 * 4u;
}

fn steps(slice: u32, row: Row) -> vec2u {
  return vec2u(0u, 1u);
}

fn step_at(t: u32, row: Row) -> Step {
  return t;
}

// The row of an operand that holds k, or zeros past the last.
fn row_of_k(k: u32, value: vec4f) -> vec4f {
  if (K % 4u != 0u) {
    return select(vec4f(0.0f), value, k < K);
  } else {
    return value;
  }
}

fn block_a(m: Row, step: Step, k4: u32) -> mat4x4f {
  let k = k4 * 4u;
  if (A_TRANSPOSED) {
    return transpose(mat4x4f(
      row_of_k(k, load_a(k * M + m, M - m)),
      row_of_k(k + 1u, load_a((k + 1u) * M + m, M - m)),
      row_of_k(k + 2u, load_a((k + 2u) * M + m, M - m)),
      row_of_k(k + 3u, load_a((k + 3u) * M + m, M - m)),
    ));
  } else {
    return mat4x4f(
      load_a(m * K + k, K - k),
      load_a((m + 1u) * K + k, K - k),
      load_a((m + 2u) * K + k, K - k),
      load_a((m + 3u) * K + k, K - k),
    );
  }
}

fn block_b(n: Column, step: Step, k4: u32) -> mat4x4f {
  let k = k4 * 4u;
  if (B_TRANSPOSED) {
    return transpose(mat4x4f(
      load_b(n * K + k, K - k),
      load_b((n + 1u) * K + k, K - k),
      load_b((n + 2u) * K + k, K - k),
      load_b((n + 3u) * K + k, K - k),
    ));
  } else {
    return mat4x4f(
      row_of_k(k, load_b(k * N + n, N - n)),
      row_of_k(k + 1u, load_b((k + 1u) * N + n, N - n)),
      row_of_k(k + 2u, load_b((k + 2u) * N + n, N - n)),
      row_of_k(k + 3u, load_b((k + 3u) * N + n, N - n)),
    );
  }
}

fn store_block(m: Row, n: Column, slice: u32, c: mat4x4f) {
  // unroll
  for (var r = 0u; r < 4u; r++) {
    if (m + r < M && n < N) {
      store_row((m + r) * N + n, n, c[r]);
    }
  }
}

fn store_row(at: u32, n: u32, sum: vec4f) {
  var value = sum;
  if (HAS_BIAS) {
    value += load_bias(n, N - n);
  }
  value = activate(value);
  if (GRADIENT_ACTIVATION != 0u) {
    value = activation_gradient(value, load_y(at, N - n));
  }
  store_c(at, value, N - n);
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M)
fn matmul(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
