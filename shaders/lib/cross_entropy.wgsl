// Softmax and cross-entropy of one row of logits, which `logit(r, c)` gives, and of its labels: t [BATCH, CLASSES], any
// weights; or, where SPARSE, the class of each row. By log-sum-exp, so nothing overflows and no probability is clipped.
@group(0) @binding(0) var<storage, read> t: array<f32>;
@group(0) @binding(0) var<storage, read> class_of: array<u32>;

struct Outcome {
  largest: f32, // logit
  sum: f32, // over the classes, of exp(logit - largest)
  weight: f32, // sum of t
  correct: bool, // logits and t have their first maximum in the same class
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
    predicted = select(predicted, c, value > largest);
    largest = select(largest, value, !(value <= largest));
    label = select(label, c, wanted > most);
    most = max(most, wanted);
    weight += wanted;
  }
  var sum = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    sum += exp(logit(r, c) - largest);
  }
  return Outcome(largest, sum, weight, predicted == label);
}

fn loss_of(r: u32, outcome: Outcome) -> f32 {
  let log_sum = log(outcome.sum);
  var total = 0.0f;
  for (var c = 0u; c < CLASSES; c++) {
    let wanted = target_of(r, c);
    // A class of weight 0 adds nothing, even where its log-probability is infinite.
    total += select(wanted * (log_sum - (logit(r, c) - outcome.largest)), 0.0f, wanted == 0.0f);
  }
  return total;
}

// The gradient of the row's loss by its logit of class c.
fn gradient_of(r: u32, c: u32, outcome: Outcome) -> f32 {
  return exp(logit(r, c) - outcome.largest) / outcome.sum * outcome.weight - target_of(r, c);
}
