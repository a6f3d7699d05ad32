// conv2d_filter_gradient_sum.   dk[e] = sum over slices s, in order, of partial[s, e];   db likewise, from the last row
// partial [SLICES, WEIGHTS + BIASES]   dk [WEIGHTS]   db [BIASES];   one invocation an element.
// UPDATE: `kernel` and `bias` are the parameters, stepped in place by the optimizer's update(); else they take dk and db.
override SLICES: u32;
override WEIGHTS: u32;
override BIASES: u32;
override UPDATE: bool;

@group(0) @binding(0) var<storage, read> partial: array<f32>;
@group(0) @binding(0) var<storage, read_write> kernel: array<f32>;
@group(0) @binding(0) var<storage, read_write> bias: array<f32>;

@compute @workgroup_size(64)
fn conv2d_filter_gradient_sum(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e >= WEIGHTS + BIASES) {
    return;
  }
  var sum = 0.0f;
  for (var s = 0u; s < SLICES; s++) {
    sum += partial[s * (WEIGHTS + BIASES) + e];
  }
  if (e < WEIGHTS) {
    if (UPDATE) {
      kernel[e] = update(vec4f(kernel[e]), vec4f(sum)).x;
    } else {
      kernel[e] = sum;
    }
  }
  if (BIASES > 0u) {
    if (e >= WEIGHTS) {
      if (UPDATE) {
        bias[e - WEIGHTS] = update(vec4f(bias[e - WEIGHTS]), vec4f(sum)).x;
      } else {
        bias[e - WEIGHTS] = sum;
      }
    }
  }
}
