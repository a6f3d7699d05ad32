/** Softmax and softmax cross-entropy in float64 by plain loops. Row-major [rows, classes]. */

export interface CrossEntropy {
  /** Per row; 0 in rows that are not in use. */
  readonly losses: Float64Array;
  /** Mean of `losses` over the rows in use. */
  readonly loss: number;
  /** Per row: 1 where softmax has its first largest value at the label's class, else 0; 0 in rows that are not in use. */
  readonly correct: Uint8Array;
  /** Gradient of `loss` by the logits: the division by rowsInUse is in it; 0 in rows that are not in use. */
  readonly dLogits: Float64Array;
}

/** y[r,c] = e^(x[r,c] - m) / sum over j of e^(x[r,j] - m), with m the row's largest, so that nothing overflows. */
export function softmax(x: ArrayLike<number>, classes: number): Float64Array {
  checkRows("x", x, classes);
  const y = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += classes) {
    const { largest, sum } = sumOfExps(x, start, classes);
    for (let c = 0; c < classes; c++) y[start + c] = Math.exp(x[start + c]! - largest) / sum;
  }
  return y;
}

/** dX[r,c] = y[r,c] * (dY[r,c] - sum over j of dY[r,j] * y[r,j]), by the output y. */
export function softmaxGradient(y: ArrayLike<number>, dY: ArrayLike<number>, classes: number): Float64Array {
  checkRows("y", y, classes);
  if (dY.length !== y.length) throw new Error(`softmaxGradient: y has ${y.length} values, dY has ${dY.length}.`);
  const dX = new Float64Array(y.length);
  for (let start = 0; start < y.length; start += classes) {
    let dot = 0;
    for (let c = 0; c < classes; c++) dot += dY[start + c]! * y[start + c]!;
    for (let c = 0; c < classes; c++) dX[start + c] = y[start + c]! * (dY[start + c]! - dot);
  }
  return dX;
}

/**
 * losses[r] = -sum over c of labels[r,c] * log softmax(logits)[r,c];  loss = (sum of losses over rows in use) / rowsInUse
 * dLogits[r,c] = (softmax(logits)[r,c] * (sum over j of labels[r,j]) - labels[r,c]) / rowsInUse
 *
 * Labels are [rows, classes] and need neither be one-hot nor sum to 1: the row's sum in dLogits is what makes it the
 * exact gradient of the loss. The log is taken of the softmax by logits, so no probability is clipped, and a class of weight 0
 * adds nothing, though its probability be 0. Rows from rowsInUse on (the filler of a last, smaller batch) count for nothing.
 * A row whose softmax is NaN has a loss of NaN, and its first largest value in class 0.
 */
export function softmaxCrossEntropy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  rowsInUse = logits.length / classes,
): CrossEntropy {
  const rows = checkRows("logits", logits, classes);
  if (labels.length !== logits.length) {
    throw new Error(`softmaxCrossEntropy: ${labels.length} labels for ${logits.length} logits.`);
  }
  if (!(rowsInUse >= 1 && rowsInUse <= rows)) {
    throw new Error(`softmaxCrossEntropy: rowsInUse must be between 1 and the ${rows} rows, got ${rowsInUse}.`);
  }
  const losses = new Float64Array(rows);
  const correct = new Uint8Array(rows);
  const dLogits = new Float64Array(logits.length);
  for (let r = 0; r < rowsInUse; r++) {
    const start = r * classes;
    const { largest, sum } = sumOfExps(logits, start, classes);
    let labelSum = 0;
    for (let c = 0; c < classes; c++) {
      labelSum += labels[start + c]!;
      if (labels[start + c] === 0) continue;
      losses[r] = losses[r]! - labels[start + c]! * (logits[start + c]! - largest - Math.log(sum));
    }
    if (Number.isNaN(sum)) losses[r] = Number.NaN;
    for (let c = 0; c < classes; c++) {
      const probability = Math.exp(logits[start + c]! - largest) / sum;
      dLogits[start + c] = (probability * labelSum - labels[start + c]!) / rowsInUse;
    }
    const predicted = Number.isNaN(sum) ? 0 : argmax(logits, start, classes);
    correct[r] = predicted === argmax(labels, start, classes) ? 1 : 0;
  }
  let total = 0;
  for (const rowLoss of losses) total += rowLoss;
  return { losses, loss: total / rowsInUse, correct, dLogits };
}

/** The same with one class index per row: losses[r] = -log softmax(logits)[r, labels[r]]. */
export function sparseSoftmaxCrossEntropy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  rowsInUse = labels.length,
): CrossEntropy {
  if (labels.length * classes !== logits.length) {
    throw new Error(`sparseSoftmaxCrossEntropy: ${labels.length} labels for ${logits.length / classes} rows.`);
  }
  const oneHot = new Float64Array(logits.length);
  for (let r = 0; r < rowsInUse; r++) {
    const label = labels[r]!;
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new Error(`sparseSoftmaxCrossEntropy: label ${label} of row ${r} is not a class from 0 to ${classes - 1}.`);
    }
    oneHot[r * classes + label] = 1;
  }
  return softmaxCrossEntropy(logits, oneHot, classes, rowsInUse);
}

/** Of one row: its largest value, and sum over c of e^(x[c] - largest), between 1 and the class count, or NaN. */
function sumOfExps(x: ArrayLike<number>, start: number, classes: number): { largest: number; sum: number } {
  const largest = x[start + argmax(x, start, classes)]!;
  let sum = 0;
  for (let c = 0; c < classes; c++) sum += Math.exp(x[start + c]! - largest);
  return { largest, sum };
}

/** The first position of the row's largest value; NaN is larger than all. */
function argmax(x: ArrayLike<number>, start: number, classes: number): number {
  let best = 0;
  for (let c = 1; c < classes; c++) if (exceeds(x[start + c]!, x[start + best]!)) best = c;
  return best;
}

/** Whether a value, met after `best`, is the new maximum. The first of equal values stays, and so does the first NaN. */
export function exceeds(value: number, best: number): boolean {
  return !Number.isNaN(best) && (Number.isNaN(value) || value > best);
}

function checkRows(name: string, values: ArrayLike<number>, classes: number): number {
  const rows = values.length / classes;
  if (!Number.isInteger(rows)) {
    throw new Error(`softmax: ${name} has ${values.length} values, not a multiple of ${classes} classes.`);
  }
  return rows;
}
