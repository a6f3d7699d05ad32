import { knownKeys } from "../base/errors.ts";
import { sampleMean } from "../losses/library-loss.ts";
import { accuracy as accuracyOp } from "../ops/softmax/accuracy.ts";
import { type MetricOptions, meanMetric } from "./library-metric.ts";
import type { Metric } from "./metric.ts";

/**
 * Categorical accuracy: share of the positions whose largest output is of the class with the largest label. Keras's `CategoricalAccuracy`
 * (`keras/src/metrics/accuracy_metrics.py`). The output is [batch, classes] or, of images, [batch, height, width, classes]; labels are rows of
 * its shape, or class numbers.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await segmenter.compile({ loss: categoricalCrossentropy(), optimizer, metrics: [categoricalAccuracy()] });
 */
export function categoricalAccuracy(options: MetricOptions = {}): Metric {
  return accuracyNamed("categoricalAccuracy", options);
}

/**
 * Categorical accuracy for class numbers: Keras's `SparseCategoricalAccuracy`. See `categoricalAccuracy`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong
 * @example
 * await segmenter.compile({ loss: sparseCategoricalCrossentropy(), optimizer, metrics: [sparseCategoricalAccuracy()] });
 */
export function sparseCategoricalAccuracy(options: MetricOptions = {}): Metric {
  return accuracyNamed("sparseCategoricalAccuracy", options);
}

function accuracyNamed(by: string, options: MetricOptions): Metric {
  knownKeys(options, ["name"], by);
  return meanMetric(by, options, {
    call: (call) => {
      const { output, labels, state, add, shapeOf, producerOf } = call;
      const last = producerOf(output);
      const x = last?.op === "softmax" ? last.inputs.x! : output;
      const { y } = add(accuracyOp, { x, labels, state });
      return shapeOf(y).length === 1 ? y : sampleMean({ ...call, output: y }, "y");
    },
  });
}
