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

fn index_operand(e: u32) -> u32 {
  var i = 0u;
  if (operand_SIZE_0 > 1u) {
    i = e / operand_STRIDE_0 % operand_SIZE_0;
  }
  if (operand_SIZE_1 > 1u) {
    i = i * operand_SIZE_1 + e / operand_STRIDE_1 % operand_SIZE_1;
  }
  if (operand_SIZE_2 > 1u) {
    i = i * operand_SIZE_2 + e / operand_STRIDE_2 % operand_SIZE_2;
  }
  if (operand_SIZE_3 > 1u) {
    i = i * operand_SIZE_3 + e / operand_STRIDE_3 % operand_SIZE_3;
  }
  return i;
}

// For elements e to e + 3 of the whole. Those past its end are some elements or others.
fn load_operand(e: u32, left: u32) -> vec4f {
  return vec4f(
    operand[index_operand(e)],
    operand[index_operand(e + 1u)],
    operand[index_operand(e + 2u)],
    operand[index_operand(e + 3u)],
  );
}
