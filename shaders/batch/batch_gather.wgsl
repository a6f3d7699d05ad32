// batch_gather.   x[r,:] = SCALE * source_x[s,:]   y[r,:] = source_y[s,:],   s = order[position + r]
// source_x [samples, X_SIZE], floats or, where X_BYTES, bytes packed four to a word   x [BATCH, X_SIZE]
// source_y [samples, Y_SIZE], words that are copied as they are                       y [BATCH, Y_SIZE]
// order: a permutation of the samples, or, where not SHUFFLED, the order in which they lie. Rows not in use take 0.
// One invocation four elements of x in a row, or one element of y.
override BATCH: u32;
override X_SIZE: u32;
override Y_SIZE: u32;
override X_BYTES: bool;
override SHUFFLED: bool;
const SCALE: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> order: array<u32>;
@group(0) @binding(0) var<storage, read> source_x: array<u32>;
@group(0) @binding(0) var<storage, read> source_y: array<u32>;
@group(0) @binding(0) var<storage, read_write> y: array<u32>;

fn sample_of(r: u32) -> u32 {
  if (SHUFFLED) {
    return order[state.position + r];
  } else {
    return state.position + r;
  }
}

const X_BLOCKS: u32 = (X_SIZE + 3u) / 4u; // of a row

// Elements i to i + 3 of source_x.
fn four_of_x(i: u32) -> vec4f {
  if (X_BYTES && X_SIZE % 4u == 0u) {
    return vec4f((vec4u(source_x[i / 4u]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu));
  } else {
    return vec4f(element_of_x(i), element_of_x(i + 1u), element_of_x(i + 2u), element_of_x(i + 3u));
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
  if (e < BATCH * X_BLOCKS) {
    let r = e / X_BLOCKS;
    let at = e % X_BLOCKS * 4u;
    let value = SCALE * four_of_x(sample_of(r) * X_SIZE + at);
    store_x(r * X_SIZE + at, select(vec4f(0.0f), value, r < state.rows), X_SIZE - at);
  }
  if (Y_SIZE > 0u) {
    if (e >= BATCH * X_BLOCKS && e < BATCH * (X_BLOCKS + Y_SIZE)) {
      let f = e - BATCH * X_BLOCKS;
      let r = f / Y_SIZE;
      y[f] = select(0u, source_y[sample_of(r) * Y_SIZE + f % Y_SIZE], r < state.rows);
    }
  }
}
