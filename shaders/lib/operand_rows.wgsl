// For operand_scalar.wgsl and operand_vec4.wgsl. `operand` is renamed to the tensor's letter.
// provides: rows_operand
// needs: load_operand

// Four rows from `i`, `pitch` apart, one a column.
fn rows_operand(i: u32, pitch: u32, left: u32) -> mat4x4f {
  return mat4x4f(
    load_operand(i, left),
    load_operand(i + pitch, left),
    load_operand(i + 2u * pitch, left),
    load_operand(i + 3u * pitch, left),
  );
}
