// accumulation_state.   updates := state as an optimizer sees it that updates once in STEPS steps
// Its step counts updates. Its rows are 0 unless this step ends with an update. STEPS is at least 2. One invocation in all.
override STEPS: u32;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read_write> updates: StepState;

@compute @workgroup_size(1)
fn accumulation_state() {
  updates.step = state.step / STEPS;
  updates.position = state.position;
  updates.samples = state.samples;
  updates.rows = select(0u, state.rows, (state.step + 1u) % STEPS == 0u);
  updates.batch = state.batch;
}
