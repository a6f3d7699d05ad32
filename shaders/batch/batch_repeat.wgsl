// batch_repeat.   y[r] = x[0]   x [1]   y [BATCH]; one invocation a row
override BATCH: u32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn batch_repeat(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r < BATCH) {
    y[r] = x[0];
  }
}
