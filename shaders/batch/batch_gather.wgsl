// batch_gather.   y[r,:] = SCALE * source[s,:],   s = order[position + r]
// source [samples, SIZE]: floats; with BYTES, bytes packed four to a word; with WHOLE, whole numbers   y [BATCH, SIZE]
// WORDS: source holds words, which are copied as they are, to `words` in place of `y`.
// SHUFFLED: order is a permutation of the samples. Otherwise it is the order in which they lie. Rows not in use take 0.
// One invocation: four elements in a row, or one word.
override BATCH: u32;
override SIZE: u32;
override BYTES: bool;
override WHOLE: bool;
override WORDS: bool;
override SHUFFLED: bool;
const SCALE: f32 = 1.0f;

@group(0) @binding(0) var<storage, read> state: StepState;
@group(0) @binding(0) var<storage, read> order: array<u32>;
@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(0) var<storage, read_write> words: array<u32>;

fn sample_of(r: u32) -> u32 {
  if (SHUFFLED) {
    return order[state.position + r];
  } else {
    return state.position + r;
  }
}

const BLOCKS: u32 = (SIZE + 3u) / 4u; // of a row

// Elements i to i + 3 of source.
fn four_of(i: u32) -> vec4f {
  if (BYTES && SIZE % 4u == 0u) {
    return vec4f((vec4u(source[i / 4u]) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu));
  } else {
    return vec4f(element_of(i), element_of(i + 1u), element_of(i + 2u), element_of(i + 3u));
  }
}

fn element_of(i: u32) -> f32 {
  if (BYTES) {
    return f32((source[i / 4u] >> (i % 4u * 8u)) & 0xffu);
  } else if (WHOLE) {
    return f32(source[i]);
  } else {
    return bitcast<f32>(source[i]);
  }
}

@compute @workgroup_size(64)
fn batch_gather(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let e = linear_index(workgroup, local);
  if (WORDS) {
    if (e < BATCH * SIZE) {
      let r = e / SIZE;
      words[e] = select(0u, source[sample_of(r) * SIZE + e % SIZE], r < state.rows);
    }
  } else {
    if (e < BATCH * BLOCKS) {
      let r = e / BLOCKS;
      let at = e % BLOCKS * 4u;
      let value = SCALE * four_of(sample_of(r) * SIZE + at);
      store_y(r * SIZE + at, select(vec4f(0.0f), value, r < state.rows), SIZE - at);
    }
  }
}
