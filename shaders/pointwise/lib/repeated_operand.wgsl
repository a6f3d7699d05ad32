// A tensor that is read again and again, such as a number for each channel: its element e % operand_LENGTH belongs to element e of the
// whole. The length is a multiple of 4. `operand` is renamed to the tensor's letter.
// provides: operand, load_operand
override operand_LENGTH: u32;

@group(0) @binding(0) var<storage, read> operand: array<vec4f>;

// For elements at to at + 3 of the whole; at is a multiple of 4.
fn load_operand(at: u32, left: u32) -> vec4f {
  return operand[at % operand_LENGTH / 4u];
}
