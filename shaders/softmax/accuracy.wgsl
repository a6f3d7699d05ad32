// accuracy.   y[r] = 1 where x and t have their first maximum in the same class, else 0
// x [BATCH, CLASSES], logits or probabilities   y [BATCH]
// The labels t: see softmax/lib/cross_entropy.wgsl. Rows not in use take 0, by `select`. One invocation a row.
override BATCH: u32;
override CLASSES: u32;
override SPARSE: bool;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

fn logit(r: u32, c: u32) -> f32 {
  return x[r * CLASSES + c];
}

@compute @workgroup_size(64)
fn accuracy(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r < BATCH) {
    y[r] = select(0.0f, 1.0f, (r < state.rows) & outcome_of(r).hit);
  }
}
