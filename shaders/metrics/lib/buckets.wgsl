// Buckets between thresholds at equal distances from 0 to 1. A value is taken within 0 and 1, a NaN as 0.
// The bucket b holds b / (BUCKETS - 1) < x <= (b + 1) / (BUCKETS - 1), the first one 0 too; the last stays empty, but for
// 0 where ZEROS_APART: no number above the first threshold.
// provides: BUCKETS, bucket_of, is_above
override BUCKETS: u32;
override ZEROS_APART: bool;

// By bits, which of numbers above 0 are in the numbers' order: those of 1 are the most, those of less than 0 and of NaN above all.
fn bucket_of(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  let within = bitcast<f32>(select(0u, min(bits, 0x3f800000u), bits <= 0x7f800000u));
  let bucket = max(u32(ceil(within * f32(BUCKETS - 1u))), 1u) - 1u;
  return select(bucket, BUCKETS - 1u, ZEROS_APART & (bitcast<u32>(within) == 0u));
}

// Whether a value is above the threshold k of BUCKETS.
fn is_above(value: f32, k: u32) -> bool {
  let bucket = bucket_of(value);
  return (bucket >= k) & (bucket < BUCKETS - 1u);
}
