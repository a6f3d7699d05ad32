// random.   y[e] = a random number, [SIZE]: uniform in [0, 1) or, if NORMAL, of the standard normal distribution
// It is a hash of (KEY, step, e), made again wherever it is wanted. KEY is the seed before the step is mixed in, plus 0x9e3779b9.
// Uniform numbers have 24 bits, so that none is rounded to 1. A normal one is made of two (Box and Muller 1958). One invocation four.
override SIZE: u32;
override KEY: u32;
override NORMAL: bool;

@group(0) @binding(0) var<storage, read> state: StepState;

fn uniform_of(hash: vec4u) -> vec4f {
  return vec4f(hash >> vec4u(8u)) * 5.9604644775390625e-8f;
}

@compute @workgroup_size(64)
fn random(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let seed = mixed(vec4u(KEY), state.step);
    let first = uniform_of(hash_at(seed, e));
    if (NORMAL) {
      let second = uniform_of(hash_at(mixed(seed + 0x9e3779b9u, 1u), e));
      // 1 - u lies in (0, 1], whose logarithm is finite.
      let radius = sqrt(-2.0f * logarithm(1.0f - first));
      store_y(e, radius * cosine_of_turn(second), SIZE - e);
    } else {
      store_y(e, first, SIZE - e);
    }
  }
}
