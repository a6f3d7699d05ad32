// needs: nan
// clip_factor.   y = before + all of sums_0 to sums_3 or, where LAST, what a gradient of that sum of squares is multiplied by:
//                CLIP / norm where the norm is above CLIP, else 1; y, before [1], sums_i [COUNT_i], of which each has at most 64
// A norm that is NaN makes NaN. An infinite one makes 0 or, where STRICT, NaN.
// Lane i adds what lies at i, lane 0 the lanes: a fixed order.
override COUNT_0: u32;
override COUNT_1: u32;
override COUNT_2: u32;
override COUNT_3: u32;
override HAS_BEFORE: bool;
override LAST: bool;
override STRICT: bool;
const CLIP: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> sums_0: array<f32>;
@group(0) @binding(0) var<storage, read> sums_1: array<f32>;
@group(0) @binding(0) var<storage, read> sums_2: array<f32>;
@group(0) @binding(0) var<storage, read> sums_3: array<f32>;
@group(0) @binding(0) var<storage, read> before: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;

var<workgroup> lane_sums: array<f32, 64>;

fn factor_of(square: f32) -> f32 {
  if (!scalar_is_finite(square)) {
    return select(nan_of(square), 0.0f, !STRICT & !scalar_is_nan(square));
  } else {
    let norm = sqrt(square);
    return select(1.0f, CLIP / norm, norm > CLIP);
  }
}

@compute @workgroup_size(64)
fn clip_factor(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0f;
  if (lane < COUNT_0) {
    sum += sums_0[lane];
  }
  if (COUNT_1 > 0u) {
    if (lane < COUNT_1) {
      sum += sums_1[lane];
    }
  }
  if (COUNT_2 > 0u) {
    if (lane < COUNT_2) {
      sum += sums_2[lane];
    }
  }
  if (COUNT_3 > 0u) {
    if (lane < COUNT_3) {
      sum += sums_3[lane];
    }
  }
  lane_sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) {
      sum += lane_sums[i];
    }
    if (HAS_BEFORE) {
      sum += before[0];
    }
    if (LAST) {
      y[0] = factor_of(sum);
    } else {
      y[0] = sum;
    }
  }
}
