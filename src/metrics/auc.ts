import {
  aWord,
  FeaturemapError,
  finiteNumber,
  flag,
  knownKeys,
  listOf,
  oneOf,
  positiveInteger,
  wrong,
} from "../base/errors.ts";
import { batchShape, type Shape } from "../base/shape.ts";
import { activation } from "../ops/activation/activation.ts";
import { ratio } from "./library-metric.ts";
import type { Metric } from "./metric.ts";
import {
  areEven,
  assertThresholdLabels,
  countedAt,
  type Point,
  precisionAt,
  recallAt,
  thresholdList,
  thresholdsOption,
} from "./thresholds.ts";

export interface AucOptions {
  /** Thresholds from 0 to 1, at equal distances. At least 2, default 200. */
  readonly numThresholds?: number;
  /** Thresholds of one's own, in place of `numThresholds`. One below 0 and one above 1 are added. */
  readonly thresholds?: readonly number[];
  /** True positives by false positives (`ROC`, default), or precision by recall (`PR`). */
  readonly curve?: "ROC" | "PR";
  /**
   * Area between two points of the curve. `interpolation` (default) takes their mean height; for `PR`, it lets true and false positives
   * grow evenly. `minoring` takes the lower point, `majoring` the higher one.
   */
  readonly summationMethod?: "interpolation" | "minoring" | "majoring";
  /** Whether each place along the output's only axis has a curve of its own, and the figure is the mean of their areas. Default false. */
  readonly multiLabel?: boolean;
  /** Number of these places. It is checked where `multiLabel` is true. Default: the output's. */
  readonly numLabels?: number;
  /** Weight of each place's area in the mean, with `multiLabel`. Default 1. */
  readonly labelWeights?: readonly number[];
  /** Whether the output is logits, of which a sigmoid makes probabilities. Default false. */
  readonly fromLogits?: boolean;
  /** Key of the figure in logs. Default `auc`. Two of one output need two names. */
  readonly name?: string;
}

/**
 * Area under a curve of a classifier's probabilities at all thresholds: Keras's `AUC` (`keras/src/metrics/confusion_metrics.py`). Each
 * number of the output counts by itself. Labels are rows of the output's shape, where all but 0 is positive, or
 * class numbers. For a model with one output, these are 0 and 1. Outputs are taken within 0 and 1, and NaN as 0. The GPU counts them by
 * threshold, up to 2^32 an epoch.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: "categoricalCrossentropy", optimizer, metrics: ["accuracy", auc({ curve: "PR" })] });
 */
export function auc(options: AucOptions = {}): Metric {
  knownKeys(
    options,
    [
      "numThresholds",
      "thresholds",
      "curve",
      "summationMethod",
      "multiLabel",
      "numLabels",
      "labelWeights",
      "fromLogits",
      "name",
    ],
    "auc",
  );
  const { counted, config } = thresholdOptions(options);
  const curve = oneOf(options.curve ?? "ROC", ["ROC", "PR"], "auc: curve");
  const methods = ["interpolation", "minoring", "majoring"] as const;
  const summationMethod = oneOf(options.summationMethod ?? "interpolation", methods, "auc: summationMethod");
  const name = aWord(options.name ?? "auc", "auc: name");
  const fromLogits = flag(options.fromLogits ?? false, "auc: fromLogits");
  const labels = labelOptions(options);
  const { multiLabel, labelWeights } = labels;
  const placesOf = ([places]: Shape) => (multiLabel ? places! : 1);
  return {
    name,
    direction: "up",
    made: {
      by: "auc",
      config: {
        ...config,
        curve,
        summationMethod,
        name,
        ...(multiLabel && labels),
        ...(fromLogits && { fromLogits }),
      },
    },
    check: (kind, output) => {
      assertThresholdLabels("auc", kind, output);
      if (multiLabel) assertPlaces(labels, output);
    },
    accumulators: (output, weighted) => counted.accumulators(placesOf(output), weighted),
    call: (call) => {
      const { output: x, add, shapeOf } = call;
      const [, ...output] = shapeOf(x);
      return counted.add(call, fromLogits ? add(activation, { x }, { kind: "sigmoid" }).y : x, placesOf(output));
    },
    result: (values) => {
      const areas = counted.points(values).map((points) => area(points, curve, summationMethod));
      const weights = labelWeights ?? areas.map(() => 1);
      const sumOf = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
      return ratio(sumOf(areas.map((each, i) => each * weights[i]!)), sumOf(weights));
    },
  };
}

/** Gap by which Keras's outer thresholds lie outside of 0 and 1: `keras.config.epsilon()`. */
const GAP = 1e-7;

function thresholdOptions({ numThresholds, thresholds }: AucOptions) {
  if (thresholds === undefined) {
    const count = thresholdsOption(numThresholds, "auc: numThresholds");
    return { counted: countedAt({ count }), config: { numThresholds: count } };
  }
  const own = thresholdList(thresholds, "auc: thresholds").sort((a, b) => a - b);
  if (numThresholds !== undefined) throw wrong("auc: numThresholds", "be left out beside thresholds", numThresholds);
  const [count, list] = [own.length + 2, [-GAP, ...own, 1 + GAP]];
  return { counted: countedAt(areEven([0, ...own, 1]) ? { count } : { count, list }), config: { thresholds: own } };
}

type LabelOptions = Pick<AucOptions, "numLabels" | "labelWeights"> & { readonly multiLabel: boolean };

/** Largest list of weights that is read. */
const MOST_LABELS = 2 ** 24;

function labelOptions(options: AucOptions): LabelOptions {
  const multiLabel = flag(options.multiLabel ?? false, "auc: multiLabel");
  const { numLabels, labelWeights } = options;
  for (const [name, value] of Object.entries({ numLabels, labelWeights }))
    if (value !== undefined && !multiLabel) throw wrong(`auc: ${name}`, "be left out where multiLabel is false", value);
  if (numLabels !== undefined) positiveInteger(numLabels, "auc: numLabels", 24);
  if (labelWeights === undefined) return { multiLabel, ...(numLabels !== undefined && { numLabels }) };
  const where = "auc: labelWeights";
  if (listOf(labelWeights, where).length > MOST_LABELS)
    throw wrong(where, "have a number for each label", labelWeights);
  const weights = Array.from(labelWeights, (weight) => finiteNumber(weight, where, 0));
  return { multiLabel, ...(numLabels !== undefined && { numLabels }), labelWeights: weights };
}

/** @throws FeaturemapError unless an output has one axis, of as many places as the options say */
function assertPlaces({ numLabels, labelWeights }: LabelOptions, output: Shape): void {
  const [places] = output;
  if (output.length !== 1)
    throw new FeaturemapError(
      "shape",
      `metric "auc" with multiLabel wants [batch, labels], got ${batchShape(output)}.`,
    );
  for (const [name, count] of Object.entries({ numLabels, labelWeights: labelWeights?.length }))
    if (count !== undefined && count !== places) throw wrong(`auc: ${name}`, `be of ${places} labels`, count);
}

const CURVES: Record<"ROC" | "PR", { x(point: Point): number; y(point: Point): number }> = {
  ROC: { x: ({ falsePositives, negatives }) => ratio(falsePositives, negatives), y: recallAt },
  PR: { x: recallAt, y: precisionAt },
};

const HEIGHTS: Record<NonNullable<AucOptions["summationMethod"]>, (a: number, b: number) => number> = {
  interpolation: (a, b) => (a + b) / 2,
  minoring: Math.min,
  majoring: Math.max,
};

function area(
  points: readonly Point[],
  curve: "ROC" | "PR",
  method: NonNullable<AucOptions["summationMethod"]>,
): number {
  const { x, y } = CURVES[curve];
  const between = (a: Point, b: Point) =>
    curve === "PR" && method === "interpolation" ? interpolated(a, b) : (x(a) - x(b)) * HEIGHTS[method](y(a), y(b));
  return points.slice(1).reduce((sum, point, i) => sum + between(points[i]!, point), 0);
}

/** Area under precision by recall where true and false positives grow evenly: Davis and Goadrich 2006, section 4. */
function interpolated(a: Point, b: Point): number {
  const [all, fewer] = [a, b].map(({ truePositives, falsePositives }) => truePositives + falsePositives) as [
    number,
    number,
  ];
  const gained = a.truePositives - b.truePositives;
  const slope = ratio(gained, all - fewer);
  const intercept = b.truePositives - slope * fewer;
  const growth = fewer > 0 ? Math.log(all / fewer) : 0;
  return ratio(slope * (gained + intercept * growth), b.positives);
}
