// Whether this step ends with an update, by the state of `accumulation_state`.
// provides: is_due
// needs: StepState
@group(0) @binding(0) var<storage, read> accumulation: StepState;

fn is_due() -> bool {
  return accumulation.rows > 0u;
}
