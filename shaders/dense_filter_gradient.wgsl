// dense_filter_gradient.   dw[m,n] = sum over r of x[r,m] * dy[r,n]     db[n] = sum over r of dy[r,n]
// x [BATCH, IN]   dy [BATCH, OUT]   dw [IN, OUT]   db [OUT];   r runs over the rows in use, by `select`.
// The bias gradient is one more row, m = IN, of the same product, whose x is 1.
// UPDATE: `kernel` and `bias` are the parameters, stepped in place by the optimizer's update(); else they take dw and db.
const BATCH: u32 = 1u;
const IN: u32 = 1u;
const OUT: u32 = 1u;
const HAS_BIAS: bool = true;
const UPDATE: bool = false;
const INNER: u32 = (BATCH + 3u) / 4u;
const A_ALONG_K: bool = false;
const B_ALONG_K: bool = false;

@group(0) @binding(0) var<storage, read> state: array<u32>;

alias Row = u32; // the first of 4 rows of dw
alias Column = u32; // the first of 4 columns of dw
alias Step = u32; // rows of the batch in use

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
  return state[STATE_ROWS];
}

fn row_of_x(at: u32, m: u32, used: bool) -> vec4f {
  var value = load_x(at, IN - m);
  if (HAS_BIAS) {
    value = select(value, vec4f(1.0f), vec4u(m, m + 1u, m + 2u, m + 3u) == vec4u(IN));
  }
  return select(vec4f(0.0f), value, used);
}

fn block_a(m: Row, in_use: Step, k4: u32) -> mat4x4f {
  let r = k4 * 4u;
  let at = r * IN + m;
  return transpose(mat4x4f(
    row_of_x(at, m, r < in_use),
    row_of_x(at + IN, m, r + 1u < in_use),
    row_of_x(at + 2u * IN, m, r + 2u < in_use),
    row_of_x(at + 3u * IN, m, r + 3u < in_use),
  ));
}

fn row_of_dy(at: u32, n: u32, used: bool) -> vec4f {
  return select(vec4f(0.0f), load_dy(at, OUT - n), used);
}

fn block_b(n: Column, in_use: Step, k4: u32) -> mat4x4f {
  let r = k4 * 4u;
  let at = r * OUT + n;
  return mat4x4f(
    row_of_dy(at, n, r < in_use),
    row_of_dy(at + OUT, n, r + 1u < in_use),
    row_of_dy(at + 2u * OUT, n, r + 2u < in_use),
    row_of_dy(at + 3u * OUT, n, r + 3u < in_use),
  );
}

fn store_block(m: Row, n: Column, slice: u32, c: mat4x4f) {
  if (IN % 4u == 0u) {
    if (m < IN && n < OUT) {
      // unroll
      for (var r = 0u; r < 4u; r++) {
        store_row(m + r, n, c[r]);
      }
    }
  } else {
    // unroll
    for (var r = 0u; r < 4u; r++) {
      if (m + r < IN && n < OUT) {
        store_row(m + r, n, c[r]);
      }
    }
  }
  if (HAS_BIAS) {
    if (m == IN / 4u * 4u && n < OUT) {
      store_bias_row(n, c[IN % 4u]);
    }
  }
}

fn store_row(m: u32, n: u32, sum: vec4f) {
  let at = m * OUT + n;
  if (UPDATE) {
    store_kernel(at, update(load_kernel(at, OUT - n), sum), OUT - n);
  } else {
    store_kernel(at, sum, OUT - n);
  }
}

fn store_bias_row(n: u32, sum: vec4f) {
  if (UPDATE) {
    store_bias(n, update(load_bias(n, OUT - n), sum), OUT - n);
  } else {
    store_bias(n, sum, OUT - n);
  }
}

@compute @workgroup_size(WORKGROUP_N, WORKGROUP_M, WORKGROUP_Z)
fn dense_filter_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_id) local: vec3u) {
  multiply_blocks(workgroup, local);
}
