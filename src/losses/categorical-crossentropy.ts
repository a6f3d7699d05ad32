import { FeaturemapError, finiteNumber, knownKeys } from "../base/errors.ts";
import { batchShape, type Shape, sameShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { softmax } from "../ops/softmax/softmax.ts";
import { softmaxCrossEntropy } from "../ops/softmax/softmax-cross-entropy.ts";
import { crossentropyOptions } from "./binary-crossentropy.ts";
import { checkRows } from "./cross-entropy.ts";
import {
  alongLast,
  clipped,
  EPSILON,
  type LossOptions,
  libraryLoss,
  positionMean,
  sampleMean,
} from "./library-loss.ts";
import type { LabelKind, Loss, LossCall } from "./loss.ts";

export interface CategoricalCrossentropyOptions extends LossOptions {
  /** Whether the output is logits: what a softmax would make probabilities of. Default false. */
  readonly fromLogits?: boolean;
  /** Share s, from 0 to 1, that makes labels t (1 - s) + s / classes. Default 0. */
  readonly labelSmoothing?: number;
}

export interface CategoricalFocalCrossentropyOptions extends CategoricalCrossentropyOptions {
  /** Factor of the loss. Default 0.25. */
  readonly alpha?: number;
  /** Power of the share by which an output is wrong: how little those that are right count. Default 2. */
  readonly gamma?: number;
}

/**
 * Cross-entropy of class probabilities and labels with a weight for each class, the sum of -t log(y) along the last axis: Keras's
 * `CategoricalCrossentropy` (`keras/src/losses/losses.py`). The output is [batch, classes] or, of images, [batch, height, width, classes].
 * Labels have its shape. Behind a softmax it is computed from the logits, which is stable where probabilities are not. Other probabilities are
 * divided by their sum, and taken within 1e-7 and 1 - 1e-7. The name `"categoricalCrossentropy"` is the same loss for models that end in
 * [batch, classes] and a softmax.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: categoricalCrossentropy({ labelSmoothing: 0.1 }), optimizer: adam() });
 */
export function categoricalCrossentropy(options: CategoricalCrossentropyOptions = {}): Loss {
  const where = "categoricalCrossentropy";
  knownKeys(options, ["fromLogits", "labelSmoothing", "reduction", "name"], where);
  const config = crossentropyOptions(options, where);
  return libraryLoss(where, options, {
    config,
    check: (labels, output) => checkLabels(where, labels, output),
    call: (call) => entropyOf({ ...call, labels: smoothed(call, config.labelSmoothing) }, config.fromLogits),
  });
}

/**
 * Focal loss of classes, the sum of -alpha (1 - y)^gamma t log(y) along the last axis: Keras's `CategoricalFocalCrossentropy`
 * (`keras/src/losses/losses.py`, after Lin et al. 2018). What is easy counts little. Labels have the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: categoricalFocalCrossentropy(), optimizer: adam() });
 */
export function categoricalFocalCrossentropy(options: CategoricalFocalCrossentropyOptions = {}): Loss {
  const where = "categoricalFocalCrossentropy";
  knownKeys(options, ["alpha", "gamma", "fromLogits", "labelSmoothing", "reduction", "name"], where);
  const { fromLogits, labelSmoothing } = crossentropyOptions(options, where);
  const alpha = finiteNumber(options.alpha ?? 0.25, `${where}: alpha`);
  const gamma = finiteNumber(options.gamma ?? 2, `${where}: gamma`);
  return libraryLoss(where, options, {
    config: { alpha, gamma, fromLogits, labelSmoothing },
    check: (labels, output) => checkLabels(where, labels, output),
    call: (given) => {
      const y = fromLogits ? given.add(softmax, { x: given.output }).y : given.output;
      const call = { ...given, output: y, labels: smoothed(given, labelSmoothing) };
      const { p, tensors } = probabilities(call);
      const factor: Expression = ["multiply", alpha, ["power", ["subtract", 1, p], gamma]];
      return positionMean(call, ["multiply", factor, ["negative", ["multiply", "t", ["log", p]]]], tensors);
    },
  });
}

/** @throws FeaturemapError unless labels are weights of at least 0, of the output's shape */
function checkLabels(name: string, labels: LabelKind, output: Shape): void {
  if (output.length === 1) {
    checkRows(name, labels, output);
    return;
  }
  const wants = `loss "${name}" wants y of the output's shape, ${batchShape(output)}`;
  if (!sameShape(labels.shape, output)) {
    const remedy = "sparseCategoricalCrossentropy() takes class numbers";
    throw new FeaturemapError("shape", `${wants}, got ${batchShape(labels.shape)}. ${remedy}.`);
  }
  const { negative } = labels;
  if (!negative) return;
  const got = `weights of at least 0, got ${negative.value} at place ${negative.at}`;
  throw new FeaturemapError("value", `${wants}, with ${got}.`);
}

/** Adds labels t (1 - s) + s / classes. */
function smoothed({ add, labels: t, shapeOf }: LossCall, smoothing: number): TensorId {
  if (smoothing === 0) return t;
  return evaluated(add, ["add", ["multiply", "t", 1 - smoothing], smoothing / shapeOf(t).at(-1)!], { t });
}

/** Adds each sample's cross-entropy of rows of labels, [batch]: the mean over its positions. */
export function entropyOf(call: LossCall, fromLogits: boolean): TensorId {
  const { labels, state, add, shapeOf } = call;
  const x = logitsOf(call, fromLogits);
  if (x !== undefined) {
    const { loss } = add(softmaxCrossEntropy, { x, labels, state });
    return shapeOf(loss).length === 1 ? loss : sampleMean({ ...call, output: loss }, "y");
  }
  const { p, tensors } = probabilities(call);
  return positionMean(call, ["negative", ["multiply", "t", ["log", p]]], tensors);
}

/** Finds the logits: the output, or what a softmax makes it of. */
export function logitsOf({ output, producerOf }: LossCall, fromLogits: boolean): TensorId | undefined {
  if (fromLogits) return output;
  const last = producerOf(output);
  return last?.op === "softmax" ? last.inputs.x : undefined;
}

/** Gives probabilities that add up to 1 along the last axis, none of which is 0 or 1. */
function probabilities(call: LossCall): { readonly p: Expression; readonly tensors: { readonly sum: TensorId } } {
  const sum = alongLast(call, "sum", "y");
  return { p: clipped(["divide", "y", "sum"], EPSILON, 1 - EPSILON), tensors: { sum } };
}
