// advance.   metrics += the batch's loss and hits; the state moves on to the next batch. The last kernel of a step.
// loss, correct [BATCH]   metrics: the words below, 0 where a sweep begins
// 64 lanes add every 64th row, lane 0 adds the lanes: a fixed order. Rows not in use are excluded by `select`.
override BATCH: u32;
override HAS_METRICS: bool;

// The loss's sum over the samples so far is two floats: a single one loses digits once it is large beside a batch's.
const LOSS_HIGH: u32 = 0u;
const LOSS_LOW: u32 = 1u;
const HITS: u32 = 2u;
const SAMPLES: u32 = 3u;
const STEPS: u32 = 4u;
const BAD_STEP: u32 = 5u; // the first step, counted from 1, whose loss is a NaN or infinite; 0 where there is none

@group(0) @binding(0) var<storage, read> loss: array<f32>;
@group(0) @binding(0) var<storage, read> correct: array<u32>;
@group(0) @binding(0) var<storage, read_write> metrics: array<u32>;
@group(0) @binding(0) var<storage, read_write> state: array<u32>;

var<workgroup> lane_loss: array<f32, 64>;
var<workgroup> lane_correct: array<u32, 64>;

// A value whose bits are known only as the kernel runs, so that no compiler takes the sums below for zero. Steps are fewer than 2^31.
fn opaque(value: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) ^ (metrics[STEPS] >> 31u));
}

// Kahan's sum by Knuth's two-sum: the low part is what the rounding of the high one dropped.
fn add_loss(loss: f32) {
  let high = bitcast<f32>(metrics[LOSS_HIGH]);
  let more = opaque(loss + bitcast<f32>(metrics[LOSS_LOW]));
  let sum = opaque(high + more);
  let added = opaque(sum - high);
  let dropped = (high - opaque(sum - added)) + (more - added);
  metrics[LOSS_HIGH] = bitcast<u32>(sum);
  // Of a sum that is infinite, the dropped part is a NaN.
  metrics[LOSS_LOW] = select(bitcast<u32>(dropped), 0u, is_bad(sum));
}

// Whether a value is a NaN or infinite: by bits, since a compiler may take it that no float is.
fn is_bad(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u;
}

fn add_metrics(lane: u32) {
  let rows = state[STATE_ROWS];
  var loss_sum = 0.0f;
  var hits = 0u;
  for (var r = lane; r < BATCH; r += 64u) {
    loss_sum += select(0.0f, loss[r], r < rows);
    hits += select(0u, correct[r], r < rows);
  }
  lane_loss[lane] = loss_sum;
  lane_correct[lane] = hits;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < 64u; i++) {
      loss_sum += lane_loss[i];
      hits += lane_correct[i];
    }
    add_loss(loss_sum);
    metrics[HITS] += hits;
    metrics[SAMPLES] += rows;
    metrics[STEPS] += 1u;
    if (is_bad(loss_sum) && metrics[BAD_STEP] == 0u) {
      metrics[BAD_STEP] = metrics[STEPS];
    }
  }
  // The state moves on only after every lane has read it.
  storageBarrier();
}

@compute @workgroup_size(64)
fn advance(@builtin(local_invocation_index) lane: u32) {
  if (HAS_METRICS) {
    add_metrics(lane);
  }
  if (lane == 0u) {
    let position = state[STATE_POSITION] + state[STATE_ROWS];
    state[STATE_STEP] += 1u;
    state[STATE_POSITION] = position;
    state[STATE_ROWS] = min(state[STATE_BATCH], state[STATE_SAMPLES] - position);
  }
}
