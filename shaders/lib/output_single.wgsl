// A tensor that is written, one element at a time (channels_1.wgsl). `output` is renamed to the tensor's letter.
// provides: output, load_output, store_output
@group(0) @binding(0) var<storage, read_write> output: array<f32>;

fn load_output(i: u32, left: u32) -> f32 {
  return output[i];
}

fn store_output(i: u32, value: f32, left: u32) {
  output[i] = value;
}
