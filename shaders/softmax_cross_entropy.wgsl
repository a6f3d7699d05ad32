// softmax_cross_entropy.   p = softmax(x)   loss[r] = sum over c of t[r,c] * -log(p[r,c])
//                          dx[r,c] = (p[r,c] * (sum over d of t[r,d]) - t[r,c]) / rows in use
// x, dx [BATCH, CLASSES]   loss [BATCH]   correct [BATCH]: 1 where x and t have their first maximum in the same class
// t [BATCH, CLASSES], any weights; or, where SPARSE, the class of each row.
// From logits and by log-sum-exp, so nothing overflows and no probability is clipped. Rows not in use take 0, by `select`.
// One invocation a row.
const BATCH: u32 = 1u;
const CLASSES: u32 = 1u;
const SPARSE: bool = false;

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read> class_of: array<u32>;
@group(0) @binding(0) var<storage, read_write> loss: array<f32>;
@group(0) @binding(0) var<storage, read_write> correct: array<u32>;
@group(0) @binding(0) var<storage, read_write> dx: array<f32>;

fn target_of(r: u32, c: u32) -> f32 {
  if (SPARSE) {
    return select(0.0f, 1.0f, class_of[r] == c);
  } else {
    return t[r * CLASSES + c];
  }
}

@compute @workgroup_size(64)
fn softmax_cross_entropy(@builtin(workgroup_id) workgroup: vec3u, @builtin(local_invocation_index) local: u32) {
  let r = linear_index(workgroup, local);
  if (r >= BATCH) {
    return;
  }
  let rows = state[STATE_ROWS];
  var largest = x[r * CLASSES];
  var predicted = 0u;
  var label = 0u;
  var most = target_of(r, 0u);
  var weight = most;
  for (var c = 1u; c < CLASSES; c++) {
    let value = x[r * CLASSES + c];
    let wanted = target_of(r, c);
    predicted = select(predicted, c, value > largest);
    largest = select(largest, value, !(value <= largest));
    label = select(label, c, wanted > most);
    most = max(most, wanted);
    weight += wanted;
  }
  var sum = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    sum += exp(x[r * CLASSES + c] - largest);
  }
  let log_sum = log(sum);
  var total = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    let shifted = x[r * CLASSES + c] - largest;
    let wanted = target_of(r, c);
    // A class of weight 0 adds nothing, even where its log-probability is infinite.
    total += select(wanted * (log_sum - shifted), 0.0f, wanted == 0.0f);
    let gradient = (exp(shifted) / sum * weight - wanted) / f32(rows);
    dx[r * CLASSES + c] = select(0.0f, gradient, r < rows);
  }
  loss[r] = select(0.0f, total, r < rows);
  correct[r] = select(0u, 1u, r < rows && predicted == label);
}
