// batch_mean_gradient.   dx[r] = WEIGHT * dy / rows for the rows in use, 0 for the others
// dy [1]   dx [BATCH]; one invocation a row
override BATCH: u32;
const WEIGHT: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn batch_mean_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r < BATCH) {
    dx[r] = select(0.0f, WEIGHT * dy[0] / f32(state.rows), r < state.rows);
  }
}
