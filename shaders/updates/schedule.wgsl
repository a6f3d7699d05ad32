// schedule.   rate := rate_at(t), t the number of steps made so far; rate [1]. The library file of a schedule has rate_at.
// One invocation in all.
@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read_write> rate: array<f32>;

@compute @workgroup_size(1)
fn schedule() {
  rate[0] = rate_at(state.step);
}
