// accumulate_means.   adds up to four numbers a sample of a batch to their means (batch/lib/means.wgsl)
@group(0) @binding(0) var<storage, read> state: StepState;

@compute @workgroup_size(64)
fn accumulate_means(@builtin(local_invocation_index) lane: u32) {
  add_means(lane, state.rows);
}
