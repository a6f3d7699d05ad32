// A tensor that is read, one element at a time (channels_1.wgsl). `operand` is renamed to the tensor's letter.
// provides: operand, load_operand
@group(0) @binding(0) var<storage, read> operand: array<f32>;

fn load_operand(i: u32, left: u32) -> f32 {
  return operand[i];
}
