// A tensor that is written, of any innermost size. `output` is renamed to the tensor's letter.
// provides: output, load_output, store_output
@group(0) @binding(0) var<storage, read_write> output: array<f32>;

fn load_output(i: u32, left: u32) -> vec4f {
  return vec4f(output[i], output[i + 1u], output[i + 2u], output[i + 3u]);
}

// Elements i to i + 3, but none after the `left` remaining ones of the row.
fn store_output(i: u32, value: vec4f, left: u32) {
  output[i] = value.x;
  if (left > 1u) {
    output[i + 1u] = value.y;
  }
  if (left > 2u) {
    output[i + 2u] = value.z;
  }
  if (left > 3u) {
    output[i + 3u] = value.w;
  }
}
