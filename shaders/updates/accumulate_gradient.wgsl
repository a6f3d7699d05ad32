// accumulate_gradient.   y := (sum + g) / STEPS, sum := sum + g or, after every STEPS steps, 0   sum in place; y, g, sum [SIZE]
// The step counts from the state. STEPS is at least 2. One invocation four elements.
override SIZE: u32;
override STEPS: u32;

@group(0) @binding(0) var<storage, read> state: StepState;

@compute @workgroup_size(64)
fn accumulate_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let all = load_sum(e, SIZE - e) + load_g(e, SIZE - e);
    store_y(e, all / f32(STEPS), SIZE - e);
    store_sum(e, select(all, vec4f(), (state.step + 1u) % STEPS == 0u), SIZE - e);
  }
}
