// needs: linear, cross_entropy, nan, state
// top_k_accuracy.   y[r] = 1 where fewer than K classes have a larger x than the first maximum of t has, else 0
// r is one of the POSITIONS of a sample.   x [ROWS, CLASSES], logits or probabilities   y [ROWS]
// A row whose softmax is NaN takes 0, as on Keras's TensorFlow.
// The labels t: see softmax/lib/cross_entropy.wgsl. Samples not in use take 0, by `select`. One invocation a position.
override ROWS: u32;
override POSITIONS: u32;
override CLASSES: u32;
override SPARSE: bool;
override K: u32;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn top_k_accuracy(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r < ROWS) {
    var label = 0u;
    var most = target_of(r, 0u);
    for (var c = 1u; c < CLASSES; c++) {
      let wanted = target_of(r, c);
      label = select(label, c, wanted > most);
      most = select(most, wanted, wanted > most);
    }
    let own = x[r * CLASSES + label];
    var larger = 0u;
    var largest = own;
    for (var c = 0u; c < CLASSES; c++) {
      let value = x[r * CLASSES + c];
      larger += select(0u, 1u, value > own);
      largest = select(largest, value, scalar_exceeds(value, largest));
    }
    y[r] = select(0.0f, 1.0f, (r < state.rows * POSITIONS) & (larger < K) & scalar_is_finite(largest));
  }
}
