import {
  FeaturemapError,
  finiteNumber,
  flag,
  knownKeys,
  listOf,
  positiveInteger,
  wholeNumber,
  wrong,
} from "../base/errors.ts";
import { batchShape, elements, type Shape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { EPSILON } from "../losses/library-loss.ts";
import type { LabelKind } from "../losses/loss.ts";
import { oneHot } from "../ops/elementwise/one-hot.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { argmax } from "../ops/softmax/argmax.ts";
import { classSums, type MetricOptions, sampleSum, sumsMetric } from "./library-metric.ts";
import type { Metric, MetricCall } from "./metric.ts";

export interface MeanIoUOptions extends MetricOptions {
  /** Number of classes. */
  readonly numClasses: number;
  /** Class of labels that count for nothing. Default: none. */
  readonly ignoreClass?: number;
  /** Whether labels are class numbers, and not rows of a number for each class. Default true. */
  readonly sparseYTrue?: boolean;
  /** Whether the output is class numbers, and not rows of a number for each class, of which the largest counts. Default true. */
  readonly sparseYPred?: boolean;
}

export interface IoUOptions extends MeanIoUOptions {
  /** Classes whose mean it is. */
  readonly targetClassIds: readonly number[];
}

export type OneHotMeanIoUOptions = Omit<MeanIoUOptions, "sparseYTrue">;
export type OneHotIoUOptions = Omit<IoUOptions, "sparseYTrue">;

export interface BinaryIoUOptions extends MetricOptions {
  /** Classes whose mean it is. Default [0, 1]. */
  readonly targetClassIds?: readonly number[];
  /** Number from which on an output counts as 1. Default 0.5. */
  readonly threshold?: number;
}

/**
 * Mean intersection over union of a segmentation's classes: Keras's `MeanIoU` (`keras/src/metrics/iou_metrics.py`). For each class it is the
 * number of positions that are of the class in the output and in the labels, by the number of those that are in either. Classes in neither
 * do not count. A network's scores of classes, [batch, height, width, classes], want `sparseYPred: false`. With weights of samples it is a
 * weighted count, where Keras cuts weights to whole numbers.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * const metrics = [meanIoU({ numClasses: 21, sparseYPred: false, ignoreClass: 255 })];
 * await segmenter.compile({ loss: sparseCategoricalCrossentropy({ ignoreClass: 255 }), optimizer, metrics });
 */
export function meanIoU(options: MeanIoUOptions): Metric {
  knownKeys(options, ["numClasses", "ignoreClass", "sparseYTrue", "sparseYPred", "name"], "meanIoU");
  return iouOf("meanIoU", options, undefined, { sparseYTrue: true, sparseYPred: true });
}

/**
 * Mean intersection over union of some classes: Keras's `IoU`. See `meanIoU`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * const metrics = [iou({ numClasses: 2, targetClassIds: [1], sparseYPred: false })];
 */
export function iou(options: IoUOptions): Metric {
  const known = ["numClasses", "targetClassIds", "ignoreClass", "sparseYTrue", "sparseYPred", "name"] as const;
  knownKeys(options, known, "iou");
  return iouOf("iou", options, options.targetClassIds, { sparseYTrue: true, sparseYPred: true });
}

/**
 * Mean intersection over union for labels that are rows: Keras's `OneHotMeanIoU`. See `meanIoU`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * const metrics = [oneHotMeanIoU({ numClasses: 3 })];
 */
export function oneHotMeanIoU(options: OneHotMeanIoUOptions): Metric {
  knownKeys(options, ["numClasses", "ignoreClass", "sparseYPred", "name"], "oneHotMeanIoU");
  return iouOf("oneHotMeanIoU", options, undefined, { sparseYTrue: false, sparseYPred: false });
}

/**
 * Mean intersection over union of some classes for labels that are rows: Keras's `OneHotIoU`. See `meanIoU`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * const metrics = [oneHotIoU({ numClasses: 3, targetClassIds: [0, 2] })];
 */
export function oneHotIoU(options: OneHotIoUOptions): Metric {
  knownKeys(options, ["numClasses", "targetClassIds", "ignoreClass", "sparseYPred", "name"], "oneHotIoU");
  return iouOf("oneHotIoU", options, options.targetClassIds, { sparseYTrue: false, sparseYPred: false });
}

/**
 * Mean intersection over union of a mask's two classes: Keras's `BinaryIoU` (`keras/src/metrics/iou_metrics.py`). Outputs are numbers that
 * count as 1 from a threshold on. Labels are 0 and 1, of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await segmenter.compile({ loss: dice(), optimizer, metrics: [binaryIoU({ targetClassIds: [1] })] });
 */
export function binaryIoU(options: BinaryIoUOptions = {}): Metric {
  knownKeys(options, ["targetClassIds", "threshold", "name"], "binaryIoU");
  const threshold = finiteNumber(options.threshold ?? 0.5, "binaryIoU: threshold");
  const targetClassIds = classIds(options.targetClassIds ?? [0, 1], 2, "binaryIoU: targetClassIds");
  const is = (x: Expression, wanted: number): Expression => ["equal", x, wanted];
  return sumsMetric("binaryIoU", options, {
    config: { threshold, targetClassIds },
    sums: ["both0", "either0", "both1", "either1"],
    call: (call) => {
      const mask: Expression = ["greaterEqual", "y", threshold];
      const bothOf = (wanted: number) => sampleSum(call, ["multiply", is(mask, wanted), is("t", wanted)]);
      const eitherOf = (wanted: number) => sampleSum(call, ["maximum", is(mask, wanted), is("t", wanted)]);
      return { both0: bothOf(0), either0: eitherOf(0), both1: bothOf(1), either1: eitherOf(1) };
    },
    result: ({ both0, either0, both1, either1 }) =>
      meanShare([both0[0]!, both1[0]!], [either0[0]!, either1[0]!], targetClassIds),
  });
}

function iouOf(
  by: string,
  options: Partial<MeanIoUOptions>,
  targets: readonly number[] | undefined,
  defaults: { readonly sparseYTrue: boolean; readonly sparseYPred: boolean },
): Metric {
  const numClasses = positiveInteger(options.numClasses, `${by}: numClasses`, 24);
  const wanted = targets && classIds(targets, numClasses, `${by}: targetClassIds`);
  const ignored =
    options.ignoreClass === undefined ? undefined : wholeNumber(options.ignoreClass, `${by}: ignoreClass`);
  const sparseYTrue = flag(options.sparseYTrue ?? defaults.sparseYTrue, `${by}: sparseYTrue`);
  const sparseYPred = flag(options.sparseYPred ?? defaults.sparseYPred, `${by}: sparseYPred`);
  const positionsOf = (output: Shape): Shape => (sparseYPred ? output : output.slice(0, -1));
  const config = {
    numClasses,
    ...(wanted && { targetClassIds: wanted }),
    ...(ignored !== undefined && { ignoreClass: ignored }),
    ...(defaults.sparseYTrue && { sparseYTrue }),
    sparseYPred,
  };
  return sumsMetric(by, options, {
    config,
    check: ({ shape }: LabelKind, output: Shape) => {
      const positions = positionsOf(output);
      if (!sparseYPred && output.at(-1) !== numClasses)
        throw wrong(
          `${by}: numClasses`,
          `be ${output.at(-1)}, the classes of the output ${batchShape(output)}`,
          numClasses,
        );
      if (elements(shape) === elements(positions) * (sparseYTrue ? 1 : numClasses)) return;
      const labels = sparseYTrue ? "a class number" : `a row of ${numClasses}`;
      const message = `metric "${by}" wants ${labels} for each position of ${batchShape(positions)}`;
      throw new FeaturemapError("shape", `${message}, got ${batchShape(shape)}.`);
    },
    asGiven: true,
    sums: ["both", "either"],
    width: () => numClasses,
    call: (call) => {
      const [batch, ...output] = call.shapeOf(call.output) as [number, ...number[]];
      const positions = elements(positionsOf(output));
      const shape = [batch, positions, numClasses];
      const rowsOf = (x: TensorId) => call.add(oneHot, { x }, { shape }).y;
      const classesOf = (x: TensorId) => call.add(argmax, { x }).y;
      const y = rowsOf(sparseYPred ? call.output : classesOf(call.output));
      const sparse = sparseYTrue ? call.labels : classesOf(call.labels);
      // What is ignored, or no class, counts in neither.
      const isClass = ignored !== undefined && ignored >= 0 && ignored < numClasses;
      const t = call.add(oneHot, { x: sparse }, { shape, ignored: isClass ? ignored : undefined }).y;
      const rows = { ...call, output: y, labels: t };
      const counted = countedPositions(rows);
      return {
        both: classSums(rows, ["multiply", "t", "y"]),
        either: classSums(rows, ["where", "counted", ["maximum", "t", "y"], 0], { counted }),
      };
    },
    result: ({ both, either }) => meanShare(both, either, wanted ?? both.map((_, k) => k)),
  });
}

/** Adds 1 for each position where both the output and the labels are a class that counts, else 0: [batch, positions, 1]. */
function countedPositions({ output: y, labels: t, add }: MetricCall): TensorId {
  const sumOf = (x: TensorId) => evaluated(add, "x", { x }, { reduction: { kind: "sum", axes: [2], keepDims: true } });
  return evaluated(add, ["multiply", "ofY", "ofT"], { ofY: sumOf(y), ofT: sumOf(t) });
}

/** Gives the mean share of the classes that are in either. */
function meanShare(both: readonly number[], either: readonly number[], classes: readonly number[]): number {
  const present = classes.filter((k) => either[k]! > 1e-9);
  const sum = present.reduce((all, k) => all + both[k]! / (either[k]! + EPSILON), 0);
  return sum / (present.length + EPSILON);
}

/** Largest list of classes that is read. */
const MOST_CLASSES = 2 ** 24;

/** @throws FeaturemapError `value` unless a list has numbers of classes, at least one */
function classIds(ids: readonly number[], numClasses: number, where: string): readonly number[] {
  const list = listOf(ids, where);
  const isRight = list.length > 0 && list.length <= MOST_CLASSES;
  if (isRight && Array.from(list).every((id) => Number.isInteger(id) && id >= 0 && id < numClasses))
    return Array.from(list);
  throw wrong(where, `be classes from 0 to ${numClasses - 1}`, ids);
}
