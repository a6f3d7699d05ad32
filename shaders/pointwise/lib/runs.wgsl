// Where a tensor's elements lie whose axes are kept or reduced. Each kind is up to four runs of neighbouring axes, the innermost last, each
// with a size and a stride. The innermost is walked by a step of its own, so many steps along.
// provides: KEPT_SIZE_3, KEPT_STRIDE_3, REDUCED_SIZE_3, REDUCED_STRIDE_3, kept_start, reduced_start
// needs: KEPT_INNER, KEPT_STEP, REDUCED_INNER, REDUCED_STEP
override KEPT_SIZE_0: u32;
override KEPT_STRIDE_0: u32;
override KEPT_SIZE_1: u32;
override KEPT_STRIDE_1: u32;
override KEPT_SIZE_2: u32;
override KEPT_STRIDE_2: u32;
override KEPT_SIZE_3: u32;
override KEPT_STRIDE_3: u32;
override REDUCED_SIZE_0: u32;
override REDUCED_STRIDE_0: u32;
override REDUCED_SIZE_1: u32;
override REDUCED_STRIDE_1: u32;
override REDUCED_SIZE_2: u32;
override REDUCED_STRIDE_2: u32;
override REDUCED_SIZE_3: u32;
override REDUCED_STRIDE_3: u32;

fn kept_start(block: u32) -> u32 {
  let plane = block / KEPT_INNER;
  let cube = plane / KEPT_SIZE_2;
  let inner = block % KEPT_INNER * KEPT_STEP + plane % KEPT_SIZE_2 * KEPT_STRIDE_2;
  return inner + cube % KEPT_SIZE_1 * KEPT_STRIDE_1 + cube / KEPT_SIZE_1 * KEPT_STRIDE_0;
}

fn reduced_start(position: u32) -> u32 {
  let plane = position / REDUCED_INNER;
  let cube = plane / REDUCED_SIZE_2;
  let inner = position % REDUCED_INNER * REDUCED_STEP + plane % REDUCED_SIZE_2 * REDUCED_STRIDE_2;
  return inner + cube % REDUCED_SIZE_1 * REDUCED_STRIDE_1 + cube / REDUCED_SIZE_1 * REDUCED_STRIDE_0;
}
