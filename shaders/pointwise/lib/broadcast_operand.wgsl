// A tensor that is broadcast: axes of 1 are repeated up to the whole's. Its other axes are up to four runs of neighbours. Of each run
// operand_SIZE elements lie operand_STRIDE apart in the whole. `operand` is renamed to the tensor's letter.
// provides: operand, load_operand
override operand_SIZE_0: u32;
override operand_STRIDE_0: u32;
override operand_SIZE_1: u32;
override operand_STRIDE_1: u32;
override operand_SIZE_2: u32;
override operand_STRIDE_2: u32;
override operand_SIZE_3: u32;
override operand_STRIDE_3: u32;

@group(0) @binding(0) var<storage, read> operand: array<f32>;

fn index_operand(at: u32) -> u32 {
  var i = 0u;
  if (operand_SIZE_0 > 1u) {
    i = at / operand_STRIDE_0 % operand_SIZE_0;
  }
  if (operand_SIZE_1 > 1u) {
    i = i * operand_SIZE_1 + at / operand_STRIDE_1 % operand_SIZE_1;
  }
  if (operand_SIZE_2 > 1u) {
    i = i * operand_SIZE_2 + at / operand_STRIDE_2 % operand_SIZE_2;
  }
  if (operand_SIZE_3 > 1u) {
    i = i * operand_SIZE_3 + at / operand_STRIDE_3 % operand_SIZE_3;
  }
  return i;
}

// For elements at to at + 3 of the whole. Those past its end are some elements or others.
fn load_operand(at: u32, left: u32) -> vec4f {
  return vec4f(
    operand[index_operand(at)],
    operand[index_operand(at + 1u)],
    operand[index_operand(at + 2u)],
    operand[index_operand(at + 3u)],
  );
}
