// advance.   Moves the state on to the next batch, as the last kernel of a step.
// MEANS above 0: first adds as many numbers a sample of the batch to their means (batch/lib/means.wgsl).
@group(0) @binding(0) var<storage, read_write> state: StepState;

@compute @workgroup_size(64)
fn advance(@builtin(local_invocation_index) lane: u32) {
  if (MEANS > 0u) {
    add_means(lane, state.rows);
    // The state moves on only after every lane has read it.
    storageBarrier();
  }
  if (lane == 0u) {
    let position = state.position + state.rows;
    state.step += 1u;
    state.position = position;
    state.rows = min(state.batch, state.samples - position);
  }
}
