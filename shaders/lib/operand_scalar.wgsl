// A tensor that is read, of any innermost size. `operand` is renamed to the tensor's letter.
// provides: operand, load_operand, element_operand
@group(0) @binding(0) var<storage, read> operand: array<f32>;

// Elements i to i + 3. Those after the `left` remaining ones of the row read as 0.
fn load_operand(i: u32, left: u32) -> vec4f {
  return vec4f(
    operand[i],
    select(0.0f, operand[i + 1u], left > 1u),
    select(0.0f, operand[i + 2u], left > 2u),
    select(0.0f, operand[i + 3u], left > 3u),
  );
}

fn element_operand(i: u32) -> f32 {
  return operand[i];
}
