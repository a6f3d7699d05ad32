// Means over the samples of a sweep, of up to four numbers a sample: values_0 to values_3 [BATCH], of which there are MEANS.
// means: 0 when a sweep begins. The mean of values_i is number FIRST + i.
// 64 lanes add every 64th row, lane 0 adds the lanes: a fixed order. Rows not in use are excluded by `select`.
// provides: BATCH, MEANS, add_means
override BATCH: u32;
override MEANS: u32;
override FIRST: u32;

struct Mean {
  // The sum is two floats, since a single one loses digits once it is large beside a batch's sum.
  sum_high: f32,
  sum_low: f32,
  samples: u32,
  steps: u32,
  bad_step: u32, // first step, counted from 1, whose sum is a NaN or infinite; 0 if there is none
}

@group(0) @binding(0) var<storage, read> values_0: array<f32>;
@group(0) @binding(0) var<storage, read> values_1: array<f32>;
@group(0) @binding(0) var<storage, read> values_2: array<f32>;
@group(0) @binding(0) var<storage, read> values_3: array<f32>;
@group(0) @binding(0) var<storage, read_write> means: array<Mean>;

var<workgroup> lane_sums: array<vec4f, 64>;

fn values_of(r: u32) -> vec4f {
  var values = vec4f(values_0[r], 0.0f, 0.0f, 0.0f);
  if (MEANS > 1u) {
    values.y = values_1[r];
  }
  if (MEANS > 2u) {
    values.z = values_2[r];
  }
  if (MEANS > 3u) {
    values.w = values_3[r];
  }
  return values;
}

// Hides a value from the compiler, which would take the differences below for zero. Steps are fewer than 2^31.
fn opaque(value: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) ^ (means[FIRST].steps >> 31u));
}

// Whether a value is a NaN or infinite, by bits, since a compiler may assume that no float is.
fn is_bad(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u;
}

// Kahan's sum by Knuth's two-sum: the low part keeps what the rounding of the high part dropped.
fn add_mean(i: u32, value: f32, rows: u32) {
  let high = means[i].sum_high;
  let more = opaque(value + means[i].sum_low);
  let sum = opaque(high + more);
  let added = opaque(sum - high);
  let dropped = (high - opaque(sum - added)) + (more - added);
  means[i].sum_high = sum;
  // If a sum is infinite, its dropped part is a NaN.
  means[i].sum_low = select(dropped, 0.0f, is_bad(sum));
  means[i].samples += rows;
  means[i].steps += 1u;
  if (is_bad(value) && means[i].bad_step == 0u) {
    means[i].bad_step = means[i].steps;
  }
}

fn add_means(lane: u32, rows: u32) {
  var sums = vec4f(0.0f);
  for (var r = lane; r < BATCH; r += 64u) {
    sums += select(vec4f(0.0f), values_of(r), r < rows);
  }
  lane_sums[lane] = sums;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) {
      sums += lane_sums[i];
    }
    // unroll
    for (var i = 0u; i < MEANS; i++) {
      add_mean(FIRST + i, sums[i], rows);
    }
  }
}
