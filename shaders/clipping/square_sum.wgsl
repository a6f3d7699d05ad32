// square_sum.   sums[i] = sum of x[e]^2 over the share of workgroup i; x [SIZE], sums [GROUPS]
// The workgroups take turns of 256 elements, 4 a lane; then lane 0 adds the lanes: a fixed order.
override SIZE: u32;
override GROUPS: u32;

@group(0) @binding(0) var<storage, read_write> sums: array<f32>;

var<workgroup> lane_sums: array<f32, 64>;

@compute @workgroup_size(64)
fn square_sum(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) lane: u32) {
  var sum = 0.0f;
  for (var e = (workgroup.x * 64u + lane) * 4u; e < SIZE; e += GROUPS * 256u) {
    let x = load_x(e, SIZE - e);
    sum += dot(x, x);
  }
  lane_sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) {
      sum += lane_sums[i];
    }
    sums[workgroup.x] = sum;
  }
}
