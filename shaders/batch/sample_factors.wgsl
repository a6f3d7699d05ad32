// sample_factors.   factors[r] = SCALE * weights[r], times rows or, with BY_WEIGHT, rows / (sum of weights), which is 0 if the sum is 0
// weights [BATCH]; without HAS_WEIGHTS each is 1   factors [BATCH]; 0 for rows not in use
// 64 lanes add every 64th row, lane 0 adds the lanes: a fixed order. Rows not in use are excluded by `select`.
override BATCH: u32;
override HAS_WEIGHTS: bool;
override BY_WEIGHT: bool;
const SCALE: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(0) var<storage, read_write> factors: array<f32>;

var<workgroup> lane_sums: array<f32, 64>;

fn weight_of(r: u32) -> f32 {
  if (HAS_WEIGHTS) {
    return weights[r];
  }
  return 1.0f;
}

@compute @workgroup_size(64)
fn sample_factors(@builtin(local_invocation_index) lane: u32) {
  let rows = state.rows;
  if (BY_WEIGHT) {
    var sum = 0.0f;
    for (var r = lane; r < BATCH; r += 64u) {
      sum += select(0.0f, weight_of(r), r < rows);
    }
    lane_sums[lane] = sum;
  }
  workgroupBarrier();
  var factor = SCALE * f32(rows);
  if (BY_WEIGHT) {
    var sum = lane_sums[0];
    for (var i = 1u; i < 64u; i++) {
      sum += lane_sums[i];
    }
    factor = select(factor / sum, 0.0f, sum == 0.0f);
  }
  for (var r = lane; r < BATCH; r += 64u) {
    factors[r] = select(0.0f, factor * weight_of(r), r < rows);
  }
}
