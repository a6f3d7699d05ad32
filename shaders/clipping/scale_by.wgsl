// needs: linear
// scale_by.   y[e] = x[e] factor[0], one invocation four elements; x, y [SIZE], factor [1]
override SIZE: u32;

@group(0) @binding(0) var<storage, read> factor: array<f32>;

@compute @workgroup_size(64)
fn scale_by(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    store_y(e, load_x(e, SIZE - e) * factor[0], SIZE - e);
  }
}
