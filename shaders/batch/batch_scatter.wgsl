// batch_scatter.   rows[position + r, :] = y[r, :] for the rows in use
// y [BATCH, SIZE]   rows [samples, SIZE]; one invocation an element of y.
override BATCH: u32;
override SIZE: u32;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(0) var<storage, read_write> rows: array<f32>;

@compute @workgroup_size(64)
fn batch_scatter(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < BATCH * SIZE && e / SIZE < state.rows) {
    rows[state.position * SIZE + e] = y[e];
  }
}
