// moving_average.   average := MOMENTUM average + (1 - MOMENTUM) p, or p before the first update is over   in place; p, average [SIZE]
// OVERWRITE, if it is not 0: p := average where the number of this update, from 1, is a multiple of it. An update is STEPS steps.
// One invocation four elements.
override SIZE: u32;
override MOMENTUM: f32;
const OVERWRITE: u32 = 0u;
const STEPS: u32 = 1u;

@group(0) @binding(0) var<storage, read> state: StepState;

@compute @workgroup_size(64)
fn moving_average(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let updates = state.step / STEPS;
    let p = load_p(e, SIZE - e);
    let before = load_average(e, SIZE - e);
    // A weight that stays as it is is its own average, to the bit.
    let known = (before == p) | vec4<bool>(updates == 0u);
    let average = select(MOMENTUM * before + (1.0f - MOMENTUM) * p, p, known);
    store_average(e, average, SIZE - e);
    if (OVERWRITE > 0u) {
      store_p(e, select(p, average, (updates + 1u) % OVERWRITE == 0u), SIZE - e);
    }
  }
}
