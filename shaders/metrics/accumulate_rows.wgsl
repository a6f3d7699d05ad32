// accumulate_rows.   sums[k] += sum over r of weights[r] * x[r,k]   over the rows in use; one invocation a sum
// x [BATCH, SIZE]   weights [BATCH], 1 without HAS_WEIGHTS   sums [2, SIZE]: each is two floats, the high parts first, since a single one
// loses digits once it is large beside a batch's sum. Rows not in use are left out by `select`. The order is fixed.
override BATCH: u32;
override SIZE: u32;
override HAS_WEIGHTS: bool;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(0) var<storage, read_write> sums: array<f32>;

// Hides a value from the compiler, which would take the differences below for zero. Batches have fewer than 2^31 rows.
fn opaque(value: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) ^ (state.rows >> 31u));
}

fn term(r: u32, k: u32) -> f32 {
  if (HAS_WEIGHTS) {
    return weights[r] * x[r * SIZE + k];
  } else {
    return x[r * SIZE + k];
  }
}

@compute @workgroup_size(64)
fn accumulate_rows(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let k = linear_index(workgroup, local);
  if (k < SIZE) {
    var batch_sum = 0.0f;
    for (var r = 0u; r < BATCH; r++) {
      batch_sum += select(0.0f, term(r, k), r < state.rows);
    }
    // Kahan's sum by Knuth's two-sum: the low part keeps what the rounding of the high part dropped.
    let high = sums[k];
    let more = opaque(batch_sum + sums[SIZE + k]);
    let sum = opaque(high + more);
    let added = opaque(sum - high);
    let dropped = (high - opaque(sum - added)) + (more - added);
    sums[k] = sum;
    // If a sum is infinite, its dropped part is a NaN.
    sums[SIZE + k] = select(0.0f, dropped, scalar_is_finite(sum));
  }
}
