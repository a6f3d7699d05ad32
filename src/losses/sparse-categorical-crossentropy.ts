import { FeaturemapError, finiteNumber, flag, knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import { batchShape, type Shape, sameShape, showShape } from "../base/shape.ts";
import type { Add } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import { sampleFactors } from "../ops/batch/sample-factors.ts";
import { oneHot } from "../ops/elementwise/one-hot.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { entropyOf, logitsOf } from "./categorical-crossentropy.ts";
import { checkClasses } from "./cross-entropy.ts";
import { alongLast, type LossOptions, libraryLoss, positionsOf, sampleMean } from "./library-loss.ts";
import type { FactorsCall, LabelKind, Loss } from "./loss.ts";
import type { Reduction } from "./reduction.ts";
import { rowsInUse } from "./rows-in-use.ts";

export interface SparseCategoricalCrossentropyOptions extends LossOptions {
  /** Whether the output is logits: what a softmax would make probabilities of. Default false. */
  readonly fromLogits?: boolean;
  /** Label whose positions count for nothing, such as -1 or 255 for the border of a mask. Default: none. */
  readonly ignoreClass?: number;
}

export interface CategoricalGeneralizedCrossEntropyOptions extends LossOptions {
  /** Power of the probability. Between 0, which is near cross-entropy, and 1, mean absolute error. Default 0.5. */
  readonly q?: number;
}

/**
 * Cross-entropy for class numbers as labels, -log(y of the label's class): Keras's `SparseCategoricalCrossentropy`
 * (`keras/src/losses/losses.py`). Labels are [samples] for an output of [batch, classes], and [samples, height, width] for images of
 * [batch, height, width, classes]. With `ignoreClass` the mean is that of the other positions of the batch. Logits and probabilities are
 * those of `categoricalCrossentropy`. The name `"sparseCategoricalCrossentropy"` is the same loss for models that end in [batch, classes]
 * and a softmax.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong, and in `fit` for labels that are no classes of the output,
 *   nor `ignoreClass`. Labels in a GPU buffer are not looked at: one that is no class adds 0 to the loss.
 * @example
 * await segmenter.compile({ loss: sparseCategoricalCrossentropy({ ignoreClass: 255 }), optimizer: adam() });
 */
export function sparseCategoricalCrossentropy(options: SparseCategoricalCrossentropyOptions = {}): Loss {
  const where = "sparseCategoricalCrossentropy";
  knownKeys(options, ["fromLogits", "ignoreClass", "reduction", "name"], where);
  const fromLogits = flag(options.fromLogits ?? false, `${where}: fromLogits`);
  const { ignoreClass: given, reduction = "sumOverBatchSize" } = options;
  const ignored = given === undefined ? undefined : wholeNumber(given, `${where}: ignoreClass`);
  const isMean = reduction !== "sum";
  return libraryLoss(where, options, {
    config: { fromLogits, ...(ignored !== undefined && { ignoreClass: ignored }) },
    labels: (output) => classLabels(output, ignored),
    takesRows: ignored === undefined,
    check: (labels, output) => checkLabels(where, labels, output, ignored),
    call: (call) => {
      const { labels, output, add, shapeOf } = call;
      const shape = shapeOf(output);
      const direct = shape.length === 2 && ignored === undefined && logitsOf(call, fromLogits) !== undefined;
      const asGiven = direct || sameShape(shapeOf(labels), shape);
      return entropyOf(asGiven ? call : { ...call, labels: rowsOf(add, labels, shape, ignored) }, fromLogits);
    },
    ...(ignored !== undefined && isMean && { factors: (call: FactorsCall) => sharesOf(call, ignored, reduction) }),
  });
}

/**
 * Generalized cross-entropy (1 - p^q) / q of the probability p of the label's class, which labels that are wrong disturb less than they do
 * cross-entropy: Keras's `CategoricalGeneralizedCrossEntropy` (`keras/src/losses/losses.py`, after Zhang and Sabuncu 2018). Labels are
 * class numbers, as those of `sparseCategoricalCrossentropy`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong, and in `fit` for labels that are no classes of the output
 * @example
 * await model.compile({ loss: categoricalGeneralizedCrossEntropy({ q: 0.7 }), optimizer: adam() });
 */
export function categoricalGeneralizedCrossEntropy(options: CategoricalGeneralizedCrossEntropyOptions = {}): Loss {
  const where = "categoricalGeneralizedCrossEntropy";
  knownKeys(options, ["q", "reduction", "name"], where);
  const q = finiteNumber(options.q ?? 0.5, `${where}: q`);
  if (q <= 0 || q >= 1) throw wrong(`${where}: q`, "be between 0 and 1", q);
  return libraryLoss(where, options, {
    config: { q },
    labels: (output) => classLabels(output, undefined),
    check: (labels, output) => checkLabels(where, labels, output, undefined),
    call: (call) => {
      const rows = rowsOf(call.add, call.labels, call.shapeOf(call.output), undefined);
      const p = alongLast({ ...call, labels: rows }, "sum", ["multiply", "t", "y"]);
      return sampleMean({ ...call, output: p }, ["divide", ["subtract", 1, ["power", "y", q]], q]);
    },
  });
}

/** Gives what labels are: whole numbers or, of images and where one may be below 0, floats. */
function classLabels(output: Shape, ignored: number | undefined): ReturnType<Loss["labels"]> {
  if (output.length > 1) return { shape: output.slice(0, -1), dtype: "f32" };
  return { shape: [1], dtype: ignored === undefined ? "u32" : "f32" };
}

/** Adds rows of 0 and 1 of class numbers. That of an ignored class is all 0. */
function rowsOf(add: Add, x: TensorId, shape: Shape, ignored: number | undefined): TensorId {
  const classes = shape.at(-1)!;
  const isClass = ignored !== undefined && ignored >= 0 && ignored < classes;
  return add(oneHot, { x }, { shape, ignored: isClass ? ignored : undefined }).y;
}

/**
 * Adds the factor of each sample's loss, so that the mean of all rows and positions becomes that of those whose class is not ignored: Keras's
 * mask (`keras/src/losses/loss.py`, `apply_mask`).
 */
function sharesOf(call: FactorsCall, ignored: number, reduction: Reduction): TensorId {
  const { labels, weights, state, add, shapeOf } = call;
  const [batch, ...sample] = shapeOf(call.output) as [number, ...number[]];
  const positions = positionsOf(sample);
  // Weight times positions times rows for rows in use, 0 for the others.
  const all = add(sampleFactors, { state, weights }, { batch, scale: positions, byWeight: false }).factors;
  const inUse = rowsInUse(call, batch, 1);
  const axes = shapeOf(labels).flatMap((_, axis) => (axis > 0 ? [axis] : []));
  const isCounted: Expression = ["subtract", 1, ["equal", "t", ignored]];
  const counted = evaluated(add, isCounted, { t: labels }, { reduction: { kind: "sum", axes, keepDims: false } });
  const byWeight = reduction === "meanWithSampleWeight" && weights !== undefined;
  const part: Expression = ["where", "inUse", byWeight ? ["multiply", "counted", "weights"] : "counted", 0];
  const tensors = { counted, inUse, ...(byWeight && { weights }) };
  const total = evaluated(add, part, tensors, { reduction: { kind: "sum", axes: [0], keepDims: false } });
  return evaluated(add, ["where", ["greater", "total", 0], ["divide", "all", "total"], 0], { all, total });
}

/** @throws FeaturemapError where labels are no class numbers of the output */
function checkLabels(name: string, labels: LabelKind, output: Shape, ignored: number | undefined): void {
  if (output.length === 1) {
    checkClasses(name, ignored === undefined ? labels : counted(labels, ignored), output);
    if (ignored !== undefined) assertClassNumbers(name, labels, output, ignored);
    return;
  }
  const wanted = output.slice(0, -1);
  if (!sameShape(labels.shape, wanted)) {
    const got = `y of ${batchShape(wanted)} with class numbers, got ${batchShape(labels.shape)}`;
    const use = sameShape(labels.shape, output) ? " categoricalCrossentropy() takes rows." : "";
    throw new FeaturemapError("shape", `loss "${name}" wants ${got}.${use}`);
  }
  assertClassNumbers(name, labels, output, ignored);
}

/** Gives what is known of labels whose ignored class may be any number. */
function counted(labels: LabelKind, ignored: number): LabelKind {
  const { shape, notClass, largestClass } = labels;
  return {
    ...labels,
    dtype: shape.length === 1 && shape[0] === 1 ? "u32" : labels.dtype,
    notClass: notClass?.value === ignored ? undefined : notClass,
    largestClass: largestClass === ignored ? undefined : largestClass,
  };
}

/** @throws FeaturemapError `value` for a label on the host that is no class, nor the ignored one. Labels in a GPU buffer are not seen. */
function assertClassNumbers(
  name: string,
  { shape, words, distinct }: LabelKind,
  output: Shape,
  ignored: number | undefined,
): void {
  const classes = output.at(-1)!;
  const isWrong = (label: number) => !(Number.isInteger(label) && label >= 0 && label < classes) && label !== ignored;
  const numbers = words as Float32Array | Uint32Array | undefined;
  const place = numbers ? numbers.findIndex(isWrong) : -1;
  const bad = place < 0 ? distinct?.find(({ value }) => isWrong(value)) : { at: place, value: numbers![place]! };
  if (!bad) return;
  const where = output.length === 1 ? `label ${bad.at}` : `the label ${showShape(placeOf(bad.at, shape))} of y`;
  if (Number.isInteger(bad.value) && bad.value >= 0) {
    const must = `The output has ${classes} classes, so labels must be in [0, ${classes})`;
    const or = ignored === undefined ? "" : ` or ${ignored}, which is ignored`;
    throw new FeaturemapError("value", `${must}${or}, but y holds ${bad.value} as ${where}.`);
  }
  const must = `wants class numbers in y, whole and at least 0, got ${bad.value} as ${where}`;
  throw new FeaturemapError("value", `loss "${name}" ${must}.`);
}

/** Gives the indices of a number of labels: its sample, then its place in it. */
function placeOf(at: number, shape: Shape): number[] {
  let rest = at;
  const place = shape.toReversed().map((size) => {
    const index = rest % size;
    rest = Math.floor(rest / size);
    return index;
  });
  return [rest, ...place.reverse()];
}
