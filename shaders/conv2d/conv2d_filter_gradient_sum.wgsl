// conv2d_filter_gradient_sum.   dk[r,o] = sum over slices s of partial[s,r,o];   db[o] likewise, of the last row
// partial [SLICES, ROWS, OUT_C]   dk [ROWS or, with a bias, one less, OUT_C]   db [OUT_C];   PARTS invocations a row and 4 columns.
// Each adds every PARTS-th slice. Then half of them add the sums of the other half, again and again: a fixed order.
// FIRST: number of the first slice. `kernel` and `bias` take dk and db, or are the parameters, stepped by them
// (updates/lib/stepped.wgsl).
override SLICES: u32;
override ROWS: u32;
override OUT_C: u32;
override HAS_BIAS: bool;
override PARTS: u32; // a power of two, of at most 64
const FIRST: u32 = 0u;
const COLUMNS: u32 = (OUT_C + 3u) / 4u; // of 4
const SUMS: u32 = 64u / PARTS; // of a workgroup

var<workgroup> sums: array<vec4f, 64>; // of each invocation

// Sum of an invocation's slices; 0 for a row that does not exist.
fn sum_of_part(r: u32, o: u32, part: u32) -> vec4f {
  var sum = vec4f(0.0f);
  if (r < ROWS) {
    for (var s = part; s < SLICES; s += PARTS) {
      sum += load_partial(((FIRST + s) * ROWS + r) * OUT_C + o, OUT_C - o);
    }
  }
  return sum;
}

fn add_parts(sum: vec4f, part: u32, local: u32) -> vec4f {
  sums[local] = sum;
  for (var half = PARTS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (part < half) {
      sums[local] += sums[local + half * SUMS];
    }
  }
  return sums[local];
}

@compute @workgroup_size(64)
fn conv2d_filter_gradient_sum(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let part = local / SUMS;
  let e = linear_index(workgroup, 0u) / PARTS + local % SUMS;
  let o = e % COLUMNS * 4u;
  let r = e / COLUMNS;
  var sum = sum_of_part(r, o, part);
  if (PARTS > 1u) {
    sum = add_parts(sum, part, local);
  }
  if ((part > 0u) | (r >= ROWS)) {
    return;
  }
  if (HAS_BIAS) {
    if (r == ROWS - 1u) {
      put_bias(o, sum, OUT_C - o);
      return;
    }
  }
  put_kernel(r * OUT_C + o, sum, OUT_C - o);
}
