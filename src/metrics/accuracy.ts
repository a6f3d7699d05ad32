import { FeaturemapError } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { accuracy as accuracyOp } from "../ops/softmax/accuracy.ts";
import type { Metric } from "./metric.ts";

/**
 * Accuracy: share of the samples whose largest output is of their label's class, or of the class of its largest weight. Keras's `accuracy`
 * for class probabilities. If the model ends in a softmax, it is computed from the logits. Of an output of one number, it is the share of those
 * that are on their label's side of 0.5, as in Keras (`keras/src/trainers/compile_utils.py`). Images want `categoricalAccuracy()`.
 *
 * @throws FeaturemapError `shape` in `fit` and its like, where outputs or labels are no classes
 */
export function accuracy(): Metric {
  return {
    name: "accuracy",
    direction: "up",
    made: { by: "accuracy", config: {} },
    check: ({ shape, dtype }, output) => {
      if (output.length === 1 && (dtype === "u32" || (shape.length === 1 && shape[0] === output[0]))) return;
      const wanted = `class numbers, or labels of the output's shape, ${batchShape(output)}`;
      throw new FeaturemapError(
        "shape",
        `metric "accuracy" compares classes: it wants ${wanted}, got ${batchShape(shape)}.`,
      );
    },
    call: ({ output, labels, state, add, producerOf }) => {
      const last = producerOf(output);
      const x = last?.op === "softmax" ? last.inputs.x! : output;
      return add(accuracyOp, { x, labels, state }).y;
    },
  };
}
