// channel_sum.   partial[s,o] = sum over the positions p of slice s, of images in use, of dy[p,o]
// dy [BATCH * POSITIONS, OUT_C]   partial [SLICES, OUT_C]
//
// The gradient of a bias that no matrix product makes. One invocation four channels of one slice; conv2d_filter_gradient_sum adds the slices.
override BATCH: u32;
override POSITIONS: u32; // of an image
override OUT_C: u32;
override SLICES: u32;
const PER_SLICE: u32 = (BATCH * POSITIONS + SLICES - 1u) / SLICES;
const COLUMNS: u32 = (OUT_C + 3u) / 4u; // of 4

@group(0) @binding(0) var<storage, read> state: StepState;

@compute @workgroup_size(64)
fn channel_sum(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  let o = e % COLUMNS * 4u;
  let slice = e / COLUMNS;
  if (slice >= SLICES) {
    return;
  }
  let first = slice * PER_SLICE;
  let end = min(first + PER_SLICE, state.rows * POSITIONS);
  var sum = vec4f(0.0f);
  for (var p = first; p < end; p++) {
    sum += load_dy(p * OUT_C + o, OUT_C - o);
  }
  store_partial(slice * OUT_C + o, sum, OUT_C - o);
}
