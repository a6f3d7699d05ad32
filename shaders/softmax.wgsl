// softmax.   y[r,c] = exp(x[r,c] - m) / sum over d of exp(x[r,d] - m), m the largest of the row
// x, y [ROWS, CLASSES]; one invocation a row.
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
    largest = max(largest, x[r * CLASSES + c]);
  }
  var sum = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    sum += exp(x[r * CLASSES + c] - largest);
  }
  for (var c = 0u; c < CLASSES; c++) {
    y[r * CLASSES + c] = exp(x[r * CLASSES + c] - largest) / sum;
  }
}
