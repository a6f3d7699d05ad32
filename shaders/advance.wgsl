// advance.   metrics += the batch's loss and hits; the state moves on to the next batch. The last kernel of a step.
// loss, correct [BATCH]   metrics: [loss sum, as f32 bits; hits; samples; steps]
// 64 lanes add every 64th row, lane 0 adds the lanes: a fixed order. Rows not in use are excluded by `select`.
override BATCH: u32;
override HAS_METRICS: bool;

@group(0) @binding(0) var<storage, read> loss: array<f32>;
@group(0) @binding(0) var<storage, read> correct: array<u32>;
@group(0) @binding(0) var<storage, read_write> metrics: array<u32>;
@group(0) @binding(0) var<storage, read_write> state: array<u32>;

var<workgroup> lane_loss: array<f32, 64>;
var<workgroup> lane_correct: array<u32, 64>;

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
    metrics[0] = bitcast<u32>(bitcast<f32>(metrics[0]) + loss_sum);
    metrics[1] += hits;
    metrics[2] += rows;
    metrics[3] += 1u;
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
