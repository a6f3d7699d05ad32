// constant.   y[e] = the number e of a list that is written into the shader, [SIZE]. One invocation an element.
override SIZE: u32;

@group(0) @binding(0) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn constant(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < SIZE) {
    y[e] = value_at(e);
  }
}
