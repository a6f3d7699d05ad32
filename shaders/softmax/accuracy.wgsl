// accuracy.   y[r] = 1 where x and t have their first maximum in the same class, else 0; of one class, where t is 1 if x > 0.5, else 0
// r is one of the POSITIONS of a sample, such as a pixel.   x [ROWS, CLASSES], logits or probabilities   y [ROWS]
// The labels t: see softmax/lib/cross_entropy.wgsl. Samples not in use take 0, by `select`. One invocation a position.
override ROWS: u32;
override POSITIONS: u32;
override CLASSES: u32;
override SPARSE: bool;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

fn logit(r: u32, c: u32) -> f32 {
  return x[r * CLASSES + c];
}

fn is_hit(r: u32) -> bool {
  if (SPARSE || CLASSES > 1u) {
    return outcome_of(r).hit;
  } else {
    return target_of(r, 0u) == select(0.0f, 1.0f, x[r] > 0.5f);
  }
}

@compute @workgroup_size(64)
fn accuracy(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r < ROWS) {
    y[r] = select(0.0f, 1.0f, (r < state.rows * POSITIONS) & is_hit(r));
  }
}
