// needs: linear, state
// threshold_counts.   Each number x of the rows in use adds 1 to counts[its label, its bucket]; one invocation a number.
// x [BATCH, SIZE]   counts [LABELS, 2, BUCKETS]: of each label, those that are 0, then the others, added up in whole numbers, whose sum no
// order changes. Labels take turns along a row. With LABELS 1 all numbers count together.
// Labels t [BATCH, SIZE]; or, where SPARSE, class_of [BATCH].
override BATCH: u32;
override SIZE: u32;
override LABELS: u32;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> counts: array<atomic<u32>>;

@compute @workgroup_size(64)
fn threshold_counts(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < min(BATCH, state.rows) * SIZE) {
    let row = e % SIZE % LABELS * 2u + select(0u, 1u, is_wanted(e));
    atomicAdd(&counts[row * BUCKETS + bucket_of(x[e])], 1u);
  }
}
