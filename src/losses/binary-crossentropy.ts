import { finiteNumber, flag, knownKeys, wrong } from "../base/errors.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { clipped, EPSILON, type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss, LossCall } from "./loss.ts";

export interface BinaryCrossentropyOptions extends LossOptions {
  /** Whether the output is logits: what a sigmoid would make probabilities of. Default false. */
  readonly fromLogits?: boolean;
  /** Share s, from 0 to 1, that makes labels t (1 - s) + s / 2. Default 0. */
  readonly labelSmoothing?: number;
}

export interface BinaryFocalCrossentropyOptions extends BinaryCrossentropyOptions {
  /** Whether a label of 1 weighs alpha and one of 0 weighs 1 - alpha. Default false. */
  readonly applyClassBalancing?: boolean;
  /** Default 0.25. */
  readonly alpha?: number;
  /** Power of the share by which an output is wrong: how little those that are right count. Default 2. */
  readonly gamma?: number;
}

const OPTIONS = ["fromLogits", "labelSmoothing", "reduction", "name"] as const;

/**
 * Cross-entropy of probabilities that each number is 1, the mean of -t log(y) - (1 - t) log(1 - y): Keras's `BinaryCrossentropy`
 * (`keras/src/losses/losses.py`). Labels are 0, 1 or between, of the output's shape; one number a sample for an output of [batch, 1]. Behind a
 * sigmoid it is computed from the logits, which is stable where probabilities are not. Other probabilities are taken within 1e-7 and 1 - 1e-7.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * const spam = sequential([dense({ units: 1, activation: "sigmoid", inputShape: [20] })]);
 * await spam.compile({ loss: binaryCrossentropy(), optimizer: adam(), metrics: ["accuracy"] });
 */
export function binaryCrossentropy(options: BinaryCrossentropyOptions = {}): Loss {
  knownKeys(options, OPTIONS, "binaryCrossentropy");
  const { fromLogits, labelSmoothing } = crossentropyOptions(options, "binaryCrossentropy");
  return libraryLoss("binaryCrossentropy", options, {
    config: { fromLogits, labelSmoothing },
    call: (call) => {
      const t = smoothed(labelSmoothing);
      const x = fromLogits ? call.output : logitsOf(call);
      if (x === undefined) return sampleMean(call, entropyOf("y", t));
      const entropy: Expression = [
        "add",
        ["multiply", t, ["softplus", ["negative", "y"]]],
        ["multiply", ["subtract", 1, t], ["softplus", "y"]],
      ];
      return sampleMean({ ...call, output: x }, entropy);
    },
  });
}

/**
 * Focal loss, binary cross-entropy times (1 - p)^gamma, where p is the probability of the label: Keras's `BinaryFocalCrossentropy`
 * (`keras/src/losses/losses.py`, after Lin et al. 2018). What is easy counts little. Labels are those of `binaryCrossentropy`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: binaryFocalCrossentropy({ gamma: 3 }), optimizer: adam() });
 */
export function binaryFocalCrossentropy(options: BinaryFocalCrossentropyOptions = {}): Loss {
  const where = "binaryFocalCrossentropy";
  knownKeys(options, ["applyClassBalancing", "alpha", "gamma", ...OPTIONS], where);
  const { fromLogits, labelSmoothing } = crossentropyOptions(options, where);
  const applyClassBalancing = flag(options.applyClassBalancing ?? false, `${where}: applyClassBalancing`);
  const alpha = finiteNumber(options.alpha ?? 0.25, `${where}: alpha`);
  const gamma = finiteNumber(options.gamma ?? 2, `${where}: gamma`);
  return libraryLoss(where, options, {
    config: { applyClassBalancing, alpha, gamma, fromLogits, labelSmoothing },
    call: (call) => {
      const t = smoothed(labelSmoothing);
      const y: Expression = fromLogits ? ["sigmoid", "y"] : "y";
      const other = (x: Expression): Expression => ["subtract", 1, x];
      const between = (a: Expression, b: Expression): Expression => [
        "add",
        ["multiply", t, a],
        ["multiply", other(t), b],
      ];
      const factor: Expression = ["power", other(between(y, other(y))), gamma];
      const focal: Expression = ["multiply", factor, entropyOf(y, t)];
      return sampleMean(call, applyClassBalancing ? ["multiply", between(alpha, 1 - alpha), focal] : focal);
    },
  });
}

/** @throws FeaturemapError `value` for an option of a cross-entropy that is wrong */
export function crossentropyOptions(
  { fromLogits, labelSmoothing }: Pick<BinaryCrossentropyOptions, "fromLogits" | "labelSmoothing">,
  where: string,
) {
  const smoothing = finiteNumber(labelSmoothing ?? 0, `${where}: labelSmoothing`);
  if (smoothing < 0 || smoothing > 1) throw wrong(`${where}: labelSmoothing`, "be from 0 to 1", smoothing);
  return { fromLogits: flag(fromLogits ?? false, `${where}: fromLogits`), labelSmoothing: smoothing };
}

function smoothed(smoothing: number): Expression {
  return smoothing === 0 ? "t" : ["add", ["multiply", "t", 1 - smoothing], smoothing / 2];
}

/** Gives -t log(y) - (1 - t) log(1 - y). */
function entropyOf(y: Expression, t: Expression): Expression {
  const p = clipped(y, EPSILON, 1 - EPSILON);
  const right: Expression = ["multiply", t, ["log", p]];
  const wrong: Expression = ["multiply", ["subtract", 1, t], ["log", ["subtract", 1, p]]];
  return ["negative", ["add", right, wrong]];
}

/** Finds what a sigmoid makes the output of. */
function logitsOf({ output, producerOf }: LossCall): TensorId | undefined {
  const last = producerOf(output);
  return last?.op === "activation" && last.attributes.kind === "sigmoid" ? last.inputs.x : undefined;
}
