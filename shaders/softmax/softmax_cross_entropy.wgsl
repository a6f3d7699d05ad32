// softmax_cross_entropy.   p = softmax(x)   loss[r] = sum over c of t[r,c] * -log(p[r,c])
//                          dx[r,c] = WEIGHT * (p[r,c] * (sum over d of t[r,d]) - t[r,c]) / rows in use
// r is one of the POSITIONS of a sample, such as a pixel.   x, dx [ROWS, CLASSES]   loss, hits [ROWS]
// hits: 1 where x and t have their first maximum in the same class.
// HAS_GRADIENT, HAS_HITS: dx and hits are wanted. dx is the gradient of WEIGHT times the mean of loss over the rows in use, of
// one position a sample.
// The labels t: see softmax/lib/cross_entropy.wgsl. Samples not in use take 0, by `select`. One invocation a position.
override ROWS: u32;
override POSITIONS: u32;
override CLASSES: u32;
override SPARSE: bool;
override HAS_GRADIENT: bool;
override HAS_HITS: bool;
const WEIGHT: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> loss: array<f32>;
@group(0) @binding(0) var<storage, read_write> hits: array<f32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;

fn logit(r: u32, c: u32) -> f32 {
  return x[r * CLASSES + c];
}

@compute @workgroup_size(64)
fn softmax_cross_entropy(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r >= ROWS) {
    return;
  }
  let rows = state.rows * POSITIONS;
  let outcome = outcome_of(r);
  if (HAS_GRADIENT) {
    for (var c = 0u; c < CLASSES; c++) {
      dx[r * CLASSES + c] = select(0.0f, WEIGHT * (gradient_of(r, c, outcome) / f32(rows)), r < rows);
    }
  }
  loss[r] = select(0.0f, loss_of(r, outcome), r < rows);
  if (HAS_HITS) {
    hits[r] = select(0.0f, 1.0f, (r < rows) & outcome.hit);
  }
}
