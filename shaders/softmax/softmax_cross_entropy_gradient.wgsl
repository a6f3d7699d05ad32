// softmax_cross_entropy_gradient.   dx[r,c] = dloss[r] * (p[r,c] * (sum over d of t[r,d]) - t[r,c]),   p = softmax(x)
// r is one of the POSITIONS of a sample, such as a pixel.   x, dx [ROWS, CLASSES]   dloss [ROWS]
// The labels t: see softmax/lib/cross_entropy.wgsl. Samples not in use take 0, by `select`. One invocation a position.
override ROWS: u32;
override POSITIONS: u32;
override CLASSES: u32;
override SPARSE: bool;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> dloss: array<f32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;

fn logit(r: u32, c: u32) -> f32 {
  return x[r * CLASSES + c];
}

@compute @workgroup_size(64)
fn softmax_cross_entropy_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r >= ROWS) {
    return;
  }
  let outcome = outcome_of(r);
  for (var c = 0u; c < CLASSES; c++) {
    dx[r * CLASSES + c] = select(0.0f, dloss[r] * gradient_of(r, c, outcome), r < state.rows * POSITIONS);
  }
}
