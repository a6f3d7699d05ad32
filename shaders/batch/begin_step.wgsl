// begin_step.   state takes the next batch, and the number of the step from model_state, which moves on.
// state: a recorder's own. Behind its last sample the next epoch begins.   model_state: only its step is changed.
// order [samples]: order[position + r] is the sample of row r: position + r or, if SHUFFLED, what a permutation puts there.
// One workgroup. The permutation is a Feistel network over the least power of 4 that is not below the number of samples. A number
// beyond them goes through it again. Its key is `seedOf(..., epoch)` of src/base/random.ts, made of `shuffle.key`.
override SHUFFLED: bool;

struct Shuffle {
  key: u32,
  epoch: u32, // counted from 0
}

@group(0) @binding(0) var<storage, read_write> state: StepState;
@group(0) @binding(0) var<storage, read_write> model_state: StepState;
@group(0) @binding(0) var<storage, read_write> shuffle: Shuffle;
@group(0) @binding(0) var<storage, read_write> order: array<u32>;

const ROUNDS: u32 = 6u;

fn scramble(x: u32) -> u32 {
  var h = x;
  h = (h ^ (h >> 16u)) * 0x7feb352du;
  h = (h ^ (h >> 15u)) * 0x846ca68bu;
  return h ^ (h >> 16u);
}

// Place of number i in the permutation of 0 to samples - 1.
fn permuted(i: u32, samples: u32, key: u32) -> u32 {
  let half_bits = (33u - countLeadingZeros(samples - 1u)) / 2u;
  let mask = (1u << half_bits) - 1u;
  var x = i;
  loop {
    var left = x >> half_bits;
    var right = x & mask;
    for (var round = 0u; round < ROUNDS; round++) {
      let next = left ^ (scramble(scramble(right + round * 0x9e3779b9u) ^ key) & mask);
      left = right;
      right = next;
    }
    x = (left << half_bits) | right;
    if (x < samples) {
      break;
    }
  }
  return x;
}

@compute @workgroup_size(64)
fn begin_step(@builtin(local_invocation_index) lane: u32) {
  let ended = state.position >= state.samples;
  let position = select(state.position, 0u, ended);
  let rows = min(state.batch, state.samples - position);
  let epoch = shuffle.epoch + select(0u, 1u, ended);
  let key = scramble(scramble(shuffle.key + 0x9e3779b9u) ^ epoch);
  for (var r = lane; r < rows; r += 64u) {
    if (SHUFFLED) {
      order[position + r] = permuted(position + r, state.samples, key);
    } else {
      order[position + r] = position + r;
    }
  }
  // The state moves on only after every lane has read it.
  storageBarrier();
  if (lane == 0u) {
    let step = model_state.step;
    model_state.step = step + 1u;
    state.step = step;
    state.position = position;
    state.rows = rows;
    shuffle.epoch = epoch;
  }
}
