import { elements } from "../../src/base/shape.ts";
import { addNode, addTensor, emptyGraph, type Graph, producerOf, tensorOf } from "../../src/graph/graph.ts";
import type { TensorId } from "../../src/graph/tensor.ts";
import { FeaturemapError, withReduction } from "../../src/index.ts";
import type { Loss } from "../../src/losses/loss.ts";
import { activation as activationOp } from "../../src/ops/activation/activation.ts";
import { multiply } from "../../src/ops/elementwise/multiply.ts";
import { softmax } from "../../src/ops/softmax/softmax.ts";
import { type Drawn, isMissing, type Part, type Written } from "./keras-golden.ts";
import { lossOf } from "./keras-names.ts";

/** What `test/golden/keras/losses.py` wrote of a loss. */
export interface LossCase {
  readonly name: string;
  readonly loss: Part;
  /** What follows the numbers of `output`, before the loss. */
  readonly activation: "softmax" | "sigmoid" | null;
  readonly output: Drawn;
  readonly labels: Drawn;
  readonly sampleWeight: Drawn;
  /** Whether Keras gives one number for the batch, such as Dice. */
  readonly wholeBatch: boolean;
  readonly perSample: readonly number[];
  /** Gradient of the mean by `output`, without weights of samples and with them. */
  readonly dx: Written;
  readonly dxWeighted?: Written;
  readonly sum: number;
  readonly sumOverBatchSize: number;
  readonly mean: number;
  readonly meanWithSampleWeight: number;
  readonly sumWeighted?: number;
  readonly sumOverBatchSizeWeighted?: number;
  readonly meanWeighted?: number;
  readonly meanWithSampleWeightWeighted?: number;
}

/** Words for what a loss makes of the samples' losses, beside the default `sumOverBatchSize`. */
export const REDUCTIONS = ["sum", "mean", "meanWithSampleWeight"] as const;

/** Gives a case's loss with a reduction: by its own option, or by `withReduction` where it has none. */
export function reduced({ loss, output }: LossCase, reduction: (typeof REDUCTIONS)[number]): Loss {
  const option = () => lossOf({ ...loss, config: { ...loss.config, reduction } });
  if (!isMissing(option)) return option();
  return withReduction(lossOf(loss), reduction, () => elements(output.shape.slice(1, -1)));
}

/** Adds an activation and a loss to a graph. Returns each sample's loss, [batch]. */
export function addLoss(
  graph: Graph,
  loss: Loss,
  { x, labels, activation }: { x: TensorId; labels: TensorId; activation: LossCase["activation"] },
): TensorId {
  const output =
    activation === null
      ? x
      : activation === "softmax"
        ? addNode(graph, "activated", softmax, { x }).y
        : addNode(graph, "activated", activationOp, { x }, { kind: "sigmoid" }).y;
  let nodes = 0;
  return loss.call({
    output,
    labels,
    state: graph.state,
    add: (op, inputs, ...attributes) => addNode(graph, `loss_${nodes++}`, op, inputs, ...attributes),
    shapeOf: (id) => tensorOf(graph, id).shape,
    producerOf: (id) => producerOf(graph, id),
    outputName: "golden",
  });
}

/** Part of a case that says what is built. */
type Built = Pick<LossCase, "loss" | "activation"> & {
  readonly output: { readonly shape: readonly number[] };
  readonly labels: { readonly shape: readonly number[] };
};

/** Adds each sample's loss times the loss's own factors, as `fit` does. */
export function weighed(
  graph: Graph,
  loss: Loss,
  { x, labels, loss: each, weights }: { x: TensorId; labels: TensorId; loss: TensorId; weights: TensorId | undefined },
): TensorId {
  const of = weights === undefined ? "factors" : "weighted_factors";
  let nodes = 0;
  const factors = loss.factors!({
    output: x,
    labels,
    weights,
    state: graph.state,
    add: (op, inputs, ...attributes) => addNode(graph, `${of}_${nodes++}`, op, inputs, ...attributes),
    shapeOf: (id) => tensorOf(graph, id).shape,
  });
  return addNode(graph, `${of}_times`, multiply, { a: each, b: factors! }).c;
}

/** Gives the shape and type of a case's labels, its batch first. @throws FeaturemapError if the loss takes as many numbers otherwise */
export function labelsFor(loss: Loss, { output, labels }: Pick<Built, "output" | "labels">) {
  const [batch, ...sample] = output.shape;
  const { shape, dtype } = loss.labels(sample);
  const whole = [batch!, ...shape];
  if (elements(whole) === elements(labels.shape)) return { shape: whole, dtype };
  throw new FeaturemapError("shape", `${loss.name} takes labels of [${whole}], the case has [${labels.shape}].`);
}

/** Builds a case without running it. @throws FeaturemapError where the library lacks what it wants */
export function buildLoss(golden: Built): void {
  const loss = lossOf(golden.loss);
  const graph = emptyGraph();
  const x = addTensor(graph, "x", "state", { shape: golden.output.shape, dtype: "f32" });
  const labels = addTensor(graph, "labels", "state", labelsFor(loss, golden));
  addLoss(graph, loss, { x, labels, activation: golden.activation });
}
