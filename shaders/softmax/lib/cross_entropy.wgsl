// Softmax and cross-entropy of one row of logits, which `logit(r, c)` gives, and its labels: weights t [rows, CLASSES] or, with SPARSE,
// the class of each row. It uses log-sum-exp, so nothing overflows and no probability is clipped. If the largest logit is infinite or a
// NaN, all of the row's softmax is NaN. So are its loss and gradient, and its class is 0, the first maximum of NaN.
// provides: target_of, outcome_of, loss_of, gradient_of
// needs: SPARSE, CLASSES, logit, scalar_exceeds, scalar_is_finite, nan_of, scalar_is_nan
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read> class_of: array<u32>;

struct Outcome {
  largest: f32, // logit
  sum: f32, // over the classes, of exp(logit - largest), or a NaN
  weight: f32, // sum of t
  hit: bool, // softmax and t have their first maximum in the same class
}

fn target_of(r: u32, c: u32) -> f32 {
  if (SPARSE) {
    return select(0.0f, 1.0f, class_of[r] == c);
  } else {
    return t[r * CLASSES + c];
  }
}

fn outcome_of(r: u32) -> Outcome {
  var largest = logit(r, 0u);
  var predicted = 0u;
  var label = 0u;
  var most = target_of(r, 0u);
  var weight = most;
  for (var c = 1u; c < CLASSES; c++) {
    let value = logit(r, c);
    let wanted = target_of(r, c);
    let wins = scalar_exceeds(value, largest);
    predicted = select(predicted, c, wins);
    largest = select(largest, value, wins);
    label = select(label, c, wanted > most);
    most = select(most, wanted, wanted > most);
    weight += wanted;
  }
  var sum = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    sum += exp(logit(r, c) - largest);
  }
  if (scalar_is_finite(largest)) {
    return Outcome(largest, sum, weight, predicted == label);
  } else {
    return Outcome(largest, nan_of(largest), weight, label == 0u);
  }
}

fn loss_of(r: u32, outcome: Outcome) -> f32 {
  let log_sum = log(outcome.sum);
  var total = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    let wanted = target_of(r, c);
    // A class of weight 0 adds nothing, even where its log-probability is infinite.
    total += select(wanted * (log_sum - (logit(r, c) - outcome.largest)), 0.0f, bitcast<u32>(wanted) << 1u == 0u);
  }
  return select(total, outcome.sum, scalar_is_nan(outcome.sum));
}

// Gradient of the row's loss by its logit of class c.
fn gradient_of(r: u32, c: u32, outcome: Outcome) -> f32 {
  return exp(logit(r, c) - outcome.largest) / outcome.sum * outcome.weight - target_of(r, c);
}
