// norm_constraint.   p[e] := p[e] desired / (1e-7 + n),   n = sqrt(sum over r of p[e]^2),   e = kept(k) + reduced(r)   in place
// desired = RATE clamp(n, LEAST, MOST) + (1 - RATE) n. The kept axes are up to four runs of neighbours, and so are those of the norm.
// A workgroup has one norm, of NORMS. Its lanes share the TERMS, and their sums are added up in a fixed order.
override GROUPS_X: u32; // workgroups side by side
override NORMS: u32;
override TERMS: u32;
override LEAST: f32;
override MOST: f32;
override RATE: f32;

// Elements are taken one by one.
const KEPT_INNER: u32 = KEPT_SIZE_3;
const KEPT_STEP: u32 = KEPT_STRIDE_3;
const REDUCED_INNER: u32 = REDUCED_SIZE_3;
const REDUCED_STEP: u32 = REDUCED_STRIDE_3;

@group(0) @binding(0) var<storage, read_write> p: array<f32>;

var<workgroup> lane_sums: array<f32, 64>;

@compute @workgroup_size(64)
fn norm_constraint(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let norm_index = workgroup.y * GROUPS_X + workgroup.x;
  let terms = select(0u, TERMS, norm_index < NORMS);
  let start = kept_start(norm_index);
  var sum = 0.0f;
  for (var r = local; r < terms; r += 64u) {
    let value = p[start + reduced_start(r)];
    sum += value * value;
  }
  lane_sums[local] = sum;
  for (var half = 32u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (local < half) {
      lane_sums[local] += lane_sums[local + half];
    }
  }
  workgroupBarrier();
  let n = sqrt(lane_sums[0]);
  let clamped = select(min(max(n, LEAST), MOST), n, scalar_is_nan(n));
  let factor = (RATE * clamped + (1.0f - RATE) * n) / (1e-7f + n);
  for (var r = local; r < terms; r += 64u) {
    let e = start + reduced_start(r);
    p[e] = p[e] * factor;
  }
}
