// softmax_gradient.   dx[r,c] = y[r,c] * (dy[r,c] - sum over d of dy[r,d] * y[r,d])
// y, dy, dx [ROWS, CLASSES]; one invocation a row.
override ROWS: u32;
override CLASSES: u32;

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn softmax_gradient(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r >= ROWS) {
    return;
  }
  var sum = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    sum += dy[r * CLASSES + c] * y[r * CLASSES + c];
  }
  for (var c = 0u; c < CLASSES; c++) {
    dx[r * CLASSES + c] = y[r * CLASSES + c] * (dy[r * CLASSES + c] - sum);
  }
}
