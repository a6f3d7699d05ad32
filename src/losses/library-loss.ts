import { aWord, FeaturemapError } from "../base/errors.ts";
import { batchShape, elements, type Shape, sameShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated, type NamedTensors } from "../ops/pointwise/pointwise.ts";
import type { LabelKind, Loss, LossCall } from "./loss.ts";
import { type Reduction, withReduction } from "./reduction.ts";

/** Options of every loss. */
export interface LossOptions {
  /** How the losses of a batch become one number: see `Reduction`. Default `sumOverBatchSize`, which is their mean. */
  readonly reduction?: Reduction;
  /** Name in messages and, of a loss among the metrics, the key of its figure. Default: the function's name. */
  readonly name?: string;
}

/** Keras's `epsilon()`: smallest probability that a logarithm takes, and what is added to a divisor that may be 0. */
export const EPSILON = 1e-7;

interface LossParts {
  /** Options that make the loss again, beside those of every loss. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Adds nodes for each sample's loss, [batch]. */
  readonly call: (call: LossCall) => TensorId;
  /** Default: floats of the output's shape. */
  readonly labels?: Loss["labels"];
  readonly check?: Loss["check"];
  readonly factors?: Loss["factors"];
  readonly takesRows?: boolean;
  /** Whether it is one number for the batch, which a reduction leaves as it is. */
  readonly isWhole?: boolean;
}

/** Makes a loss of the library out of its options and parts. */
export function libraryLoss(by: string, { reduction, name }: LossOptions, parts: LossParts): Loss {
  const { config = {}, call, labels = floats, check, factors, takesRows, isWhole = false } = parts;
  const own = {
    ...config,
    ...(name !== undefined && { name: aWord(name, `${by}: name`) }),
    ...(reduction !== undefined && { reduction }),
  };
  const loss: Loss = {
    name: name ?? by,
    made: { by, config: own },
    labels,
    ...(takesRows && { takesRows }),
    check: check ?? ((labels, output) => assertNumbers(by, labels, output)),
    call,
  };
  const reduced = withReduction(loss, reduction, positionsOf);
  return isWhole ? loss : factors ? { ...reduced, factors } : reduced;
}

/** Counts the losses of a sample: one for each position, such as a pixel. */
export function positionsOf(output: Shape): number {
  return elements(output.slice(0, -1));
}

function floats(output: Shape): ReturnType<Loss["labels"]> {
  return { shape: output, dtype: "f32" };
}

/** @throws FeaturemapError `shape` unless labels have the output's shape */
function assertNumbers(by: string, { shape, dtype }: LabelKind, output: Shape): void {
  if (sameShape(shape, output)) return;
  const got = dtype === "u32" ? "class numbers" : batchShape(shape);
  const remedy =
    dtype === "u32" ? `oneHot(y, ${output.at(-1)}) makes rows of them` : "tensor(data, shape) gives numbers a shape";
  throw new FeaturemapError(
    "shape",
    `loss "${by}" wants y of the output's shape, ${batchShape(output)}, got ${got}. ${remedy}.`,
  );
}

/** Adds the mean of an expression over each sample's numbers, [batch]. It reads the output as `y` and the labels as `t`. */
export function sampleMean(call: LossCall, expression: Expression, others: NamedTensors = {}): TensorId {
  const { output: y, labels: t, add, shapeOf } = call;
  const axes = shapeOf(y).flatMap((_, axis) => (axis > 0 ? [axis] : []));
  return evaluated(add, expression, { y, t, ...others }, { reduction: { kind: "mean", axes, keepDims: false } });
}

/**
 * Adds the sum of an expression along the last axis and its mean over all others but the batch's, [batch]: a loss for each position, such
 * as a pixel.
 */
export function positionMean(call: LossCall, expression: Expression, others: NamedTensors = {}): TensorId {
  return sampleMean(call, ["multiply", expression, call.shapeOf(call.output).at(-1)!], others);
}

/** Adds the sum or the maximum of an expression along the last axis, which stays with a size of 1. */
export function alongLast(
  { output: y, labels: t, add, shapeOf }: LossCall,
  kind: "sum" | "max",
  expression: Expression,
  others: NamedTensors = {},
): TensorId {
  const axes = [shapeOf(y).length - 1];
  return evaluated(add, expression, { y, t, ...others }, { reduction: { kind, axes, keepDims: true } });
}

/** Gives an expression within bounds. */
export function clipped(x: Expression, low: number, high: number): Expression {
  return ["minimum", ["maximum", x, low], high];
}
