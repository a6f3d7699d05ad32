// batch_gather.   x[r,:] = SCALE * source_x[s,:]   y[r,:] = source_y[s,:],   s = order[position + r]
// source_x [samples, X_SIZE], floats or, where X_BYTES, bytes packed four to a word   x [BATCH, X_SIZE]
// source_y [samples, Y_SIZE], words that are copied as they are                       y [BATCH, Y_SIZE]
// order: a permutation of the samples, or, where not SHUFFLED, the order in which they lie. Rows not in use take 0.
// One invocation an element of x or y.
const BATCH: u32 = 1u;
const X_SIZE: u32 = 1u;
const Y_SIZE: u32 = 0u;
const X_BYTES: bool = false;
const SHUFFLED: bool = false;
const SCALE: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(0) var<storage, read> order: array<u32>;
@group(0) @binding(0) var<storage, read> source_x: array<u32>;
@group(0) @binding(0) var<storage, read> source_y: array<u32>;
@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(0) var<storage, read_write> y: array<u32>;

fn sample_of(r: u32) -> u32 {
  if (SHUFFLED) {
    return order[state[STATE_POSITION] + r];
  } else {
    return state[STATE_POSITION] + r;
  }
}

fn element_of_x(i: u32) -> f32 {
  if (X_BYTES) {
    return f32((source_x[i / 4u] >> (i % 4u * 8u)) & 0xffu);
  } else {
    return bitcast<f32>(source_x[i]);
  }
}

@compute @workgroup_size(64)
fn batch_gather(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (e < BATCH * X_SIZE) {
    let r = e / X_SIZE;
    x[e] = select(0.0f, SCALE * element_of_x(sample_of(r) * X_SIZE + e % X_SIZE), r < state[STATE_ROWS]);
  }
  if (Y_SIZE > 0u) {
    if (e >= BATCH * X_SIZE && e < BATCH * (X_SIZE + Y_SIZE)) {
      let f = e - BATCH * X_SIZE;
      let r = f / Y_SIZE;
      y[f] = select(0u, source_y[sample_of(r) * Y_SIZE + f % Y_SIZE], r < state[STATE_ROWS]);
    }
  }
}
