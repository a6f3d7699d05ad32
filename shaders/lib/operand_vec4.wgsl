// A tensor that is read, four elements at a time: its innermost size is a multiple of 4.
// `operand` is renamed to the tensor's letter.
// provides: operand, load_operand, element_operand
@group(0) @binding(0) var<storage, read> operand: array<vec4f>;

// Elements i to i + 3; i is a multiple of 4, so all of them are in the row.
fn load_operand(i: u32, left: u32) -> vec4f {
  return operand[i / 4u];
}

fn element_operand(i: u32) -> f32 {
  return operand[i / 4u][i % 4u];
}
