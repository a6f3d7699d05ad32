import { cut, FeaturemapError } from "../base/errors.ts";
import { batchShape, type Shape, showShape } from "../base/shape.ts";
import { softmaxCrossEntropy } from "../ops/softmax/softmax-cross-entropy.ts";
import type { LabelKind, Loss } from "./loss.ts";

/**
 * Losses that models name, for outputs of [batch, classes] behind a softmax. They take its logits, which is stable where probabilities are
 * not. So does Keras on TensorFlow (`keras/src/backend/tensorflow/nn.py`, `_get_logits`). `categoricalCrossentropy()` and its like take
 * any output.
 */
export function softmaxRows(): Loss {
  return crossEntropy("categoricalCrossentropy", (output) => ({ shape: output, dtype: "f32" }), checkRows);
}

/** The same for class numbers as labels. */
export function softmaxClasses(): Loss {
  return crossEntropy("sparseCategoricalCrossentropy", () => ({ shape: [1], dtype: "u32" }), checkClasses);
}

function crossEntropy(
  name: string,
  labels: Loss["labels"],
  check: (name: string, labels: LabelKind, output: Shape) => void,
): Loss {
  return {
    name,
    labels,
    takesRows: true,
    check: (labels, output) => {
      assertClasses(name, output, "the model's");
      check(name, labels, output);
    },
    call: ({ output, labels, state, add, shapeOf, producerOf, outputName }) => {
      assertClasses(name, shapeOf(output).slice(1), `"${cut(outputName)}"`);
      const softmax = producerOf(output);
      if (softmax?.op !== "softmax") {
        const end = `the model ends in "${cut(softmax?.name ?? outputName)}"`;
        let before = softmax;
        while (before && before.op !== "softmax") before = producerOf(Object.values(before.inputs)[0]!);
        throw new FeaturemapError(
          "value",
          `loss "${name}" compares class probabilities, so the last layer must end in a softmax over its outputs, ` +
            `but ${end}. ${before ? "Move the softmax behind it." : 'Give the last layer activation: "softmax".'}`,
        );
      }
      return add(softmaxCrossEntropy, { x: softmax.inputs.x!, labels, state }).loss;
    },
  };
}

function assertClasses(name: string, output: Shape, whose: string): void {
  if (output.length === 1) return;
  const message = `loss "${name}" wants an output of [batch, classes], but ${whose} is ${batchShape(output)}`;
  const remedy = `Let the model end in flatten() and dense(), or import ${name}() for images`;
  throw new FeaturemapError("shape", `${message}. ${remedy}.`);
}

/** Words how many classes an output has. A single one would always have the probability 1. */
function classesOf(output: Shape): string {
  return output[0] === 1 ? "one class (two classes want units: 2)" : `${output[0]} classes`;
}

/** @throws FeaturemapError unless labels are rows of weights of at least 0 */
export function checkRows(name: string, { shape, dtype, negative }: LabelKind, output: Shape): void {
  if (dtype === "u32") {
    const use = `Use loss: "sparseCategoricalCrossentropy", or oneHot(y, ${output[0]}).`;
    throw new FeaturemapError(
      "value",
      `loss "${name}" wants y of [samples, ${output[0]}] with a weight for each class, got class numbers. ` +
        (output[0] === 1 ? `The output has ${classesOf(output)}.` : use),
    );
  }
  if (shape.length !== 1 || shape[0] !== output[0]) {
    const got = shape.length === 1 ? `y has ${shape[0]}` : "y has more axes";
    throw new FeaturemapError(
      "shape",
      `The output has ${classesOf(output)}, but ${got}: y must be [samples, ${output[0]}], ` +
        `got [samples, ${showShape(shape).slice(1)}.`,
    );
  }
  if (negative) {
    const at = `row ${Math.floor(negative.at / shape[0]!)}, class ${negative.at % shape[0]!}`;
    const must = `wants weights of at least 0 in y, got ${negative.value} in ${at}`;
    throw new FeaturemapError("value", `loss "${name}" ${must}.`);
  }
}

/** @throws FeaturemapError unless labels are class numbers of the output */
export function checkClasses(name: string, { shape, dtype, largestClass, notClass }: LabelKind, output: Shape): void {
  if (notClass) {
    const must = `wants class numbers in y, whole and at least 0, got ${notClass.value} as label ${notClass.at}`;
    throw new FeaturemapError("value", `loss "${name}" ${must}.`);
  }
  if (dtype !== "u32") {
    throw new FeaturemapError(
      "value",
      `loss "${name}" wants y of [samples] or [samples, 1] with class numbers, got [samples, ${showShape(shape).slice(1)}. ` +
        'Use loss: "categoricalCrossentropy" for one-hot or soft labels.',
    );
  }
  // The host has not seen labels that are in a GPU buffer.
  if (largestClass !== undefined && largestClass >= output[0]!) {
    throw new FeaturemapError(
      "value",
      `The output has ${classesOf(output)}, so labels must be in [0, ${output[0]}), but y holds ${largestClass}.`,
    );
  }
}
