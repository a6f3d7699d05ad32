import { cut, FeaturemapError, oneOf } from "../base/errors.ts";
import { type Shape, showShape } from "../base/shape.ts";
import type { LabelColumn } from "../data/dataset.ts";
import { type Graph, producerOf, type TensorId, tensorOf } from "../graph/graph.ts";
import type { Op } from "../graph/op.ts";
import { denseCrossEntropyOps } from "../ops/softmax/dense-cross-entropy.ts";
import { softmaxCrossEntropyOps } from "../ops/softmax/softmax-cross-entropy.ts";

export const LOSSES = ["categoricalCrossentropy", "sparseCategoricalCrossentropy"] as const;
export type LossName = (typeof LOSSES)[number];

export const METRICS = ["accuracy"] as const;
export type MetricName = (typeof METRICS)[number];

type Labels = Omit<LabelColumn, "buffer">;

/** A loss: what labels it takes and the nodes that compute it. */
export interface Loss {
  readonly name: string;
  /** Ops that it brings, beside those of the model's layers. */
  readonly ops?: readonly Op[];
  /** Shape and type of one sample's labels, for a model with this output. */
  labels(output: Shape): { readonly shape: Shape; readonly dtype: "f32" | "u32" };
  /** @throws FeaturemapError where the labels do not suit the loss or the model's output */
  check(labels: Labels, output: Shape): void;
  /** Adds nodes; returns each row's loss and whether it was classified rightly. */
  build(
    graph: Graph,
    call: { output: TensorId; labels: TensorId; add: (op: string, inputs: readonly TensorId[]) => readonly TensorId[] },
  ): { readonly loss: TensorId; readonly correct: TensorId };
}

/** @throws FeaturemapError `value` for a name that is no loss */
export function lossNamed(name: unknown): Loss {
  return crossEntropy(oneOf(name, LOSSES, "compile: loss"));
}

/**
 * Cross-entropy of the model's class probabilities, by the logits under its softmax: stable where the probabilities are
 * not, as Keras does on TensorFlow (`keras/src/backend/tensorflow/nn.py`, `_get_logits`).
 */
function crossEntropy(name: LossName): Loss {
  const sparse = name === "sparseCategoricalCrossentropy";
  return {
    name,
    ops: [...softmaxCrossEntropyOps, ...denseCrossEntropyOps],
    labels: (output) => (sparse ? { shape: [1], dtype: "u32" } : { shape: output, dtype: "f32" }),
    check: (labels, output) => (sparse ? checkClasses(name, labels, output) : checkRows(name, labels, output)),
    build: (graph, { output, labels, add }) => {
      const softmax = producerOf(graph, output);
      if (softmax?.op !== "softmax") {
        const before = graph.nodes.some(({ op }) => op === "softmax");
        throw new FeaturemapError(
          "value",
          `loss "${name}" compares class probabilities, so the last layer must end in a softmax over its outputs, ` +
            `but the model ends in "${cut(tensorOf(graph, output).name)}". ` +
            (before ? "Move the softmax behind it." : 'Give the last layer activation: "softmax".'),
        );
      }
      const [loss, correct] = add("softmaxCrossEntropy", [softmax.inputs[0]!, labels, graph.state]);
      return { loss: loss!, correct: correct! };
    },
  };
}

/** How many outputs a model has; one has always a probability of 1. */
function outputsOf(output: Shape): string {
  return output[0] === 1 ? "1 output (two classes want units: 2)" : `${output[0]} outputs`;
}

function checkRows(name: string, labels: Labels, output: Shape): void {
  if (labels.dtype === "u32") {
    const use = `Use loss: "sparseCategoricalCrossentropy", or oneHot(y, ${output[0]}).`;
    throw new FeaturemapError(
      "value",
      `loss "${name}" wants y of [samples, ${output[0]}] with a weight for each class, got class numbers. ` +
        (output[0] === 1 ? `The model has ${outputsOf(output)}.` : use),
    );
  }
  if (labels.shape[0] !== output[0]) {
    throw new FeaturemapError(
      "shape",
      `The model has ${outputsOf(output)}, but y has ${labels.shape[0]} classes: y must be [samples, ${output[0]}], ` +
        `got [samples, ${showShape(labels.shape).slice(1)}.`,
    );
  }
}

function checkClasses(name: string, labels: Labels, output: Shape): void {
  if (labels.dtype !== "u32") {
    throw new FeaturemapError(
      "value",
      `loss "${name}" wants y of [samples] or [samples, 1] with class numbers, got [samples, ${labels.shape[0]}]. ` +
        'Use loss: "categoricalCrossentropy" for one-hot or soft labels.',
    );
  }
  if (labels.largestClass! >= output[0]!) {
    throw new FeaturemapError(
      "value",
      `The model has ${outputsOf(output)}, so labels must be in [0, ${output[0]}), but y holds ${labels.largestClass}.`,
    );
  }
}
