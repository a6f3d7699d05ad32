// batch_mean.   y = WEIGHT * (sum of x[r] over the rows in use) / rows
// x [BATCH]   y [1]
// 64 lanes add every 64th row, lane 0 adds the lanes: a fixed order. Rows not in use are excluded by `select`.
override BATCH: u32;
const WEIGHT: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

var<workgroup> lane_sums: array<f32, 64>;

@compute @workgroup_size(64)
fn batch_mean(@builtin(local_invocation_index) lane: u32) {
  let rows = state.rows;
  var sum = 0.0f;
  for (var r = lane; r < BATCH; r += 64u) {
    sum += select(0.0f, x[r], r < rows);
  }
  lane_sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) {
      sum += lane_sums[i];
    }
    y[0] = WEIGHT * sum / f32(rows);
  }
}
