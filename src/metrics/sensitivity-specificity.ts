import { aWord, finiteNumber, knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import { assertLabels, type MetricOptions, withRows } from "./library-metric.ts";
import type { Metric } from "./metric.ts";
import { ofClass } from "./precision.ts";
import { countedAt, type Point, precisionAt, recallAt, specificityAt, thresholdsOption } from "./thresholds.ts";

export interface ThresholdOptions extends MetricOptions {
  /** Thresholds from 0 to 1, at equal distances. At least 2, default 200. */
  readonly numThresholds?: number;
  /** Class that counts alone, a place along the last axis. Default: all of them. */
  readonly classId?: number;
}

/**
 * Best precision among the thresholds whose recall is at least the one given: Keras's `PrecisionAtRecall`
 * (`keras/src/metrics/confusion_metrics.py`). Outputs and labels are those of `auc`. It is 0 where no threshold will do.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: binaryCrossentropy(), optimizer, metrics: [precisionAtRecall({ recall: 0.9 })] });
 */
export function precisionAtRecall(options: ThresholdOptions & { readonly recall: number }): Metric {
  return bestAt("precisionAtRecall", options, "recall", recallAt, precisionAt);
}

/**
 * Best recall among the thresholds whose precision is at least the one given: Keras's `RecallAtPrecision`. See `precisionAtRecall`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 */
export function recallAtPrecision(options: ThresholdOptions & { readonly precision: number }): Metric {
  return bestAt("recallAtPrecision", options, "precision", precisionAt, recallAt);
}

/**
 * Best sensitivity, which is recall, among the thresholds whose specificity is at least the one given: Keras's
 * `SensitivityAtSpecificity`. Specificity is the share of the negative labels whose outputs are negative. See `precisionAtRecall`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 */
export function sensitivityAtSpecificity(options: ThresholdOptions & { readonly specificity: number }): Metric {
  return bestAt("sensitivityAtSpecificity", options, "specificity", specificityAt, recallAt);
}

/**
 * Best specificity among the thresholds whose sensitivity is at least the one given: Keras's `SpecificityAtSensitivity`. See
 * `sensitivityAtSpecificity`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 */
export function specificityAtSensitivity(options: ThresholdOptions & { readonly sensitivity: number }): Metric {
  return bestAt("specificityAtSensitivity", options, "sensitivity", recallAt, specificityAt);
}

function bestAt<Key extends string>(
  by: string,
  options: ThresholdOptions & Readonly<Record<Key, number>>,
  key: Key,
  constrained: (point: Point) => number,
  wanted: (point: Point) => number,
): Metric {
  knownKeys<ThresholdOptions & Readonly<Record<string, unknown>>>(
    options,
    [key, "numThresholds", "classId", "name"],
    by,
  );
  const least = finiteNumber(options[key], `${by}: ${key}`);
  if (least < 0 || least > 1) throw wrong(`${by}: ${key}`, "be from 0 to 1", least);
  const numThresholds = thresholdsOption(options.numThresholds, `${by}: numThresholds`);
  const name = aWord(options.name ?? by, `${by}: name`);
  const { classId } = options;
  if (classId !== undefined && wholeNumber(classId, `${by}: classId`) < 0)
    throw wrong(`${by}: classId`, "be at least 0", classId);
  const counted = countedAt({ count: numThresholds, zerosApart: true });
  return {
    name,
    direction: "up",
    made: { by, config: { [key]: least, numThresholds, name, ...(classId !== undefined && { classId }) } },
    check: (labels, output) => assertLabels(by, labels, output),
    accumulators: (_, weighted) => counted.accumulators(1, weighted),
    call: (given) => {
      const [call] = ofClass(withRows(given), {}, classId, by);
      return counted.add(call, call.output, 1);
    },
    result: (values) => {
      const feasible = counted.points(values)[0]!.filter((point) => constrained(point) >= least);
      return feasible.reduce((best, point) => Math.max(best, wanted(point)), 0);
    },
  };
}
