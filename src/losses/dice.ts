import { finiteNumber, knownKeys, wrong } from "../base/errors.ts";
import { MAX_DIMENSIONS } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { EPSILON, type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss, LossCall } from "./loss.ts";
import { rowsInUse } from "./rows-in-use.ts";

export interface DiceOptions extends LossOptions {
  /**
   * Axes that are added up, counted from the batch's, 0, or from the last, -1: [1, 2, 3] gives each image a loss of its own. Axis 0 is never
   * among them. Default: all axes, the batch's too, which gives one loss for the batch.
   */
  readonly axis?: number | readonly number[];
}

export interface TverskyOptions extends DiceOptions {
  /** Weight of t (1 - y), what the output lacks. Default 0.5. */
  readonly alpha?: number;
  /** Weight of y (1 - t), what the output has too much. Default 0.5. */
  readonly beta?: number;
}

/**
 * Dice loss of a segmentation, 1 - 2 (sum of t y) / (sum of t + sum of y): Keras's `Dice` (`keras/src/losses/losses.py`). Labels are masks of
 * the output's shape. Without `axis` it is one number for the batch, which weights of samples and reductions leave as it is.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: dice({ axis: [1, 2, 3] }), optimizer: adam() });
 */
export function dice(options: DiceOptions = {}): Loss {
  knownKeys(options, ["axis", "reduction", "name"], "dice");
  return overlap("dice", options, {}, (call, sumOf) => {
    const both = sumOf(call, ["multiply", "t", "y"]);
    const all = sumOf(call, ["add", "t", "y"]);
    const share: Expression = ["divide", ["multiply", 2, "both"], ["add", "all", EPSILON]];
    return { loss: ["subtract", 1, share], tensors: { both, all } };
  });
}

/**
 * Tversky's loss of a segmentation, 1 - s / (s + alpha (sum of t (1 - y)) + beta (sum of y (1 - t))), s = sum of t y: Keras's `Tversky`
 * (`keras/src/losses/losses.py`). It is `dice` where alpha and beta are 0.5.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: tversky({ alpha: 0.7, beta: 0.3 }), optimizer: adam() });
 */
export function tversky(options: TverskyOptions = {}): Loss {
  knownKeys(options, ["alpha", "beta", "axis", "reduction", "name"], "tversky");
  const alpha = finiteNumber(options.alpha ?? 0.5, "tversky: alpha");
  const beta = finiteNumber(options.beta ?? 0.5, "tversky: beta");
  return overlap("tversky", options, { alpha, beta }, (call, sumOf) => {
    const both = sumOf(call, ["multiply", "t", "y"]);
    const missing = sumOf(call, ["multiply", ["subtract", 1, "y"], "t"]);
    const surplus = sumOf(call, ["multiply", ["subtract", 1, "t"], "y"]);
    const errors: Expression = ["add", ["multiply", alpha, "missing"], ["multiply", beta, "surplus"]];
    const share: Expression = ["divide", "both", ["add", ["add", "both", errors], EPSILON]];
    return { loss: ["subtract", 1, share], tensors: { both, missing, surplus } };
  });
}

type SumOf = (call: LossCall, expression: Expression) => TensorId;

/** Makes a loss out of sums along axes: all of them, over the rows in use, or some of each sample's. */
function overlap(
  by: string,
  options: DiceOptions,
  config: Readonly<Record<string, unknown>>,
  of: (call: LossCall, sumOf: SumOf) => { loss: Expression; tensors: Readonly<Record<string, TensorId>> },
): Loss {
  const axis = axesOption(options.axis, `${by}: axis`);
  return libraryLoss(by, options, {
    config: { ...config, ...(axis && { axis }) },
    isWhole: axis === undefined,
    call: (call) => {
      const shape = call.shapeOf(call.output);
      if (!axis) {
        const { loss, tensors } = of(call, sumOfBatch);
        return evaluated(call.add, loss, tensors, { shape: [shape[0]!] });
      }
      const axes = resolvedAxes(axis, shape.length, `${by}: axis`);
      const { loss, tensors } = of(call, sumAlong(axes));
      return sampleMean({ ...call, output: Object.values(tensors)[0]! }, loss, tensors);
    },
  });
}

/** Adds a sum over all rows in use, [1]. */
function sumOfBatch(call: LossCall, expression: Expression): TensorId {
  const { output: y, labels: t, add, shapeOf } = call;
  const shape = shapeOf(y);
  const reduction = { kind: "sum", axes: shape.map((_, axis) => axis), keepDims: false } as const;
  const inUse = rowsInUse(call, shape[0]!, shape.length);
  return evaluated(add, ["where", "inUse", expression, 0], { y, t, inUse }, { reduction });
}

function sumAlong(axes: readonly number[]): SumOf {
  return ({ output: y, labels: t, add }, expression) =>
    evaluated(add, expression, { y, t }, { reduction: { kind: "sum", axes, keepDims: true } });
}

function axesOption(axis: number | readonly number[] | undefined, where: string): readonly number[] | undefined {
  if (axis === undefined) return undefined;
  const axes = Array.isArray(axis) && axis.length <= MAX_DIMENSIONS ? Array.from(axis as readonly number[]) : [axis];
  if (axes.length > 0 && axes.every((each) => Number.isInteger(each) && each !== 0)) return axes as number[];
  throw wrong(where, "be axes of a sample, counted from 1 or from the last, -1", axis);
}

function resolvedAxes(axes: readonly number[], rank: number, where: string): number[] {
  const resolved = axes.map((axis) => (axis < 0 ? axis + rank : axis));
  if (resolved.every((axis) => axis > 0 && axis < rank) && new Set(resolved).size === axes.length) return resolved;
  throw wrong(where, `be axes from 1 to ${rank - 1}, each once`, axes);
}
