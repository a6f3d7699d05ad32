// dropout.   y[e] = x[e] SCALE, or 0 where the hash of (KEY, step, e) is below DROPPED of 2^32; both [SIZE]
// The gradient is the same of dy: the mask is made again, not stored. One invocation four elements.
// The hash is `uniform(seedOf(..., step), e)` of src/base/random.ts; KEY is that seed before the step is mixed in, plus 0x9e3779b9.
override SIZE: u32;
override KEY: u32;
override DROPPED: u32;
const SCALE: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> state: StepState;

@compute @workgroup_size(64)
fn dropout(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let seed = mixed(vec4u(KEY), state.step);
    let hash = hash_at(seed, e);
    let scaled = load_x(e, SIZE - e) * SCALE;
    store_y(e, select(vec4f(0.0f), scaled, hash >= vec4u(DROPPED)), SIZE - e);
  }
}
