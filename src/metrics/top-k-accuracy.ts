import { aWord, FeaturemapError, knownKeys, positiveInteger } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { topKAccuracy } from "../ops/softmax/top-k-accuracy.ts";
import type { Metric } from "./metric.ts";

export interface TopKAccuracyOptions {
  /** Number of largest outputs among which the label's class counts as a hit. Default 5. */
  readonly k?: number;
  /** Key of the figure in logs. Default: the function's name. Two of one output need two names. */
  readonly name?: string;
}

/**
 * Top-k accuracy: share of the samples whose label is among the k classes with the largest outputs. Keras's `TopKCategoricalAccuracy`
 * (`keras/src/metrics/accuracy_metrics.py`). Labels are rows, [samples, classes]: the class of a row is that of its first maximum. Equal
 * outputs share a rank. A sample whose outputs are NaN is no hit.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: "categoricalCrossentropy", optimizer, metrics: [topKCategoricalAccuracy({ k: 3 })] });
 */
export function topKCategoricalAccuracy(options: TopKAccuracyOptions = {}): Metric {
  return topKNamed("topKCategoricalAccuracy", "f32", options);
}

/**
 * Top-k accuracy for class numbers: Keras's `SparseTopKCategoricalAccuracy`. See `topKCategoricalAccuracy`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, metrics: [sparseTopKCategoricalAccuracy({ k: 3 })] });
 */
export function sparseTopKCategoricalAccuracy(options: TopKAccuracyOptions = {}): Metric {
  return topKNamed("sparseTopKCategoricalAccuracy", "u32", options);
}

const OTHERS = {
  topKCategoricalAccuracy: "sparseTopKCategoricalAccuracy",
  sparseTopKCategoricalAccuracy: "topKCategoricalAccuracy",
};

function topKNamed(by: keyof typeof OTHERS, dtype: "f32" | "u32", options: TopKAccuracyOptions): Metric {
  knownKeys(options, ["k", "name"], by);
  const k = positiveInteger(options.k ?? 5, `${by}: k`, 32);
  const name = aWord(options.name ?? by, `${by}: name`);
  return {
    name,
    direction: "up",
    made: { by, config: { k, name } },
    check: (labels, output) => {
      if (output.length !== 1) {
        const message = `metric "${by}" wants an output of [batch, classes], but the model's is ${batchShape(output)}`;
        throw new FeaturemapError("shape", `${message}.`);
      }
      if (labels.dtype === dtype) return;
      const [wants, got] = dtype === "u32" ? ["class numbers", "rows"] : ["rows, [samples, classes]", "class numbers"];
      throw new FeaturemapError("value", `metric "${by}" wants y of ${wants}, got ${got}. Use ${OTHERS[by]}().`);
    },
    call: ({ output, labels, state, add, producerOf }) => {
      const softmax = producerOf(output);
      const x = softmax?.op === "softmax" ? softmax.inputs.x! : output;
      return add(topKAccuracy, { x, labels, state }, { k }).y;
    },
  };
}
