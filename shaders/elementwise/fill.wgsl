// fill.   y[e] = VALUE for each e   y [SIZE]; one invocation an element
override SIZE: u32;
const VALUE: f32 = 0.0f;

@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn fill(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < SIZE) {
    y[e] = VALUE;
  }
}
