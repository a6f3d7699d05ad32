// softmax.   y[r,c] = exp(x[r,c] - m) / sum over d of exp(x[r,d] - m), m the largest of the row
// x, y [ROWS, CLASSES]; one invocation a row. Where m is infinite or a NaN, all of the row is NaN.
override ROWS: u32;
override CLASSES: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn softmax(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r >= ROWS) {
    return;
  }
  var largest = x[r * CLASSES];
  for (var c = 1u; c < CLASSES; c++) {
    let value = x[r * CLASSES + c];
    largest = select(largest, value, scalar_exceeds(value, largest));
  }
  var sum = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    sum += exp(x[r * CLASSES + c] - largest);
  }
  // `exp` of a NaN need not be a NaN.
  let finite = scalar_is_finite(largest);
  for (var c = 0u; c < CLASSES; c++) {
    y[r * CLASSES + c] = select(nan_of(largest), exp(x[r * CLASSES + c] - largest) / sum, finite);
  }
}
