// needs: linear, nan
// clip_value.   y[e] = x[e], but -LIMIT where it is less and LIMIT where it is more, one invocation four elements; x, y [SIZE]
// A NaN stays one.
override SIZE: u32;
const LIMIT: f32 = 1.0f;

@compute @workgroup_size(64)
fn clip_value(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local) * 4u;
  if (e < SIZE) {
    let x = load_x(e, SIZE - e);
    store_y(e, carrying_nan(x, clamp(x, vec4f(-LIMIT), vec4f(LIMIT))), SIZE - e);
  }
}
