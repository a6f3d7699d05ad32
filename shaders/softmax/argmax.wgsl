// argmax.   y[r] = the class of the first maximum of x[r,:]   x [ROWS, CLASSES]   y [ROWS]; the first NaN counts as the maximum
// One invocation a row.
override ROWS: u32;
override CLASSES: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn argmax(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r < ROWS) {
    var best = x[r * CLASSES];
    var found = 0u;
    for (var c = 1u; c < CLASSES; c++) {
      let value = x[r * CLASSES + c];
      let wins = scalar_exceeds(value, best);
      found = select(found, c, wins);
      best = select(best, value, wins);
    }
    y[r] = f32(found);
  }
}
