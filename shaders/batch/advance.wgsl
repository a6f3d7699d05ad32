// advance.   metrics += the batch's loss and hits; the state moves on to the next batch. The last kernel of a step.
// loss, correct [BATCH]   metrics: batch/lib/metrics.wgsl
// 64 lanes add every 64th row, lane 0 adds the lanes: a fixed order. Rows not in use are excluded by `select`.
override BATCH: u32;
override HAS_METRICS: bool;

@group(0) @binding(0) var<storage, read> loss: array<f32>;
@group(0) @binding(0) var<storage, read> correct: array<u32>;
@group(0) @binding(0) var<storage, read_write> metrics: Metrics;
@group(0) @binding(0) var<storage, read_write> state: StepState;

var<workgroup> lane_loss: array<f32, 64>;
var<workgroup> lane_correct: array<u32, 64>;

// A value whose bits are known only as the kernel runs, so that no compiler takes the sums below for zero. Steps are fewer than 2^31.
fn opaque(value: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(value) ^ (metrics.steps >> 31u));
}

// Kahan's sum by Knuth's two-sum: the low part is what the rounding of the high one dropped.
fn add_loss(loss: f32) {
  let high = metrics.loss_high;
  let more = opaque(loss + metrics.loss_low);
  let sum = opaque(high + more);
  let added = opaque(sum - high);
  let dropped = (high - opaque(sum - added)) + (more - added);
  metrics.loss_high = sum;
  // Of a sum that is infinite, the dropped part is a NaN.
  metrics.loss_low = select(dropped, 0.0f, is_bad(sum));
}

// Whether a value is a NaN or infinite: by bits, since a compiler may take it that no float is.
fn is_bad(value: f32) -> bool {
  return (bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u;
}

fn add_metrics(lane: u32) {
  let rows = state.rows;
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
    metrics.hits += hits;
    metrics.samples += rows;
    metrics.steps += 1u;
    if (is_bad(loss_sum) && metrics.bad_step == 0u) {
      metrics.bad_step = metrics.steps;
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
    let position = state.position + state.rows;
    state.step += 1u;
    state.position = position;
    state.rows = min(state.batch, state.samples - position);
  }
}
