// needs: linear, state
// threshold_counts.   Each number x of the rows in use adds 1 to counts[its label, its bucket]; one invocation a number.
// x [BATCH, SIZE], taken within 0 and 1, a NaN as 0   counts [LABELS, 2, BUCKETS]: of each label, those that are 0, then the others, added
// up in whole numbers, whose sum no order changes. Labels take turns along a row. With LABELS 1 all numbers count together.
// The bucket b holds b / (BUCKETS - 1) < x <= (b + 1) / (BUCKETS - 1), the first one 0 too; the last stays empty, but for
// 0 where ZEROS_APART: no number above the first threshold.
// Labels t [BATCH, SIZE]; or, where SPARSE, the class of each row, which of one number (SIZE 1) is 0 or not.
override BATCH: u32;
override SIZE: u32;
override BUCKETS: u32;
override SPARSE: bool;
override LABELS: u32;
override ZEROS_APART: bool;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read> class_of: array<u32>;
@group(0) @binding(0) var<storage, read_write> counts: array<atomic<u32>>;

fn is_wanted(e: u32) -> bool {
  if (SPARSE) {
    return select(class_of[e / SIZE] == e % SIZE, class_of[e / SIZE] != 0u, SIZE == 1u);
  } else {
    return bitcast<u32>(t[e]) << 1u != 0u;
  }
}

// By bits, which of numbers above 0 are in the numbers' order: those of 1 are the most, those of less than 0 and of NaN above all.
fn bucket_of(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let within = bitcast<f32>(select(0u, min(bits, 0x3f800000u), bits <= 0x7f800000u));
  let bucket = max(u32(ceil(within * f32(BUCKETS - 1u))), 1u) - 1u;
  return select(bucket, BUCKETS - 1u, ZEROS_APART & (bitcast<u32>(within) == 0u));
}

@compute @workgroup_size(64)
fn threshold_counts(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < min(BATCH, state.rows) * SIZE) {
    let row = e % SIZE % LABELS * 2u + select(0u, 1u, is_wanted(e));
    atomicAdd(&counts[row * BUCKETS + bucket_of(x[e])], 1u);
  }
}
