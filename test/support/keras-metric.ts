import { addNode, addTensor, emptyGraph, producerOf, tensorOf } from "../../src/graph/graph.ts";
import { type Metric, weighted } from "../../src/index.ts";
import type { LabelKind, Loss } from "../../src/losses/loss.ts";
import type { Drawn, Part } from "./keras-golden.ts";
import { metricOf } from "./keras-names.ts";
import { squaredError } from "./squared-error.ts";

/** What `test/golden/keras/metrics.py` wrote of a metric. */
export interface MetricCase {
  readonly name: string;
  readonly metric: Part;
  readonly activation: "softmax" | "sigmoid" | null;
  readonly output: Drawn;
  readonly labels: Drawn;
  readonly sampleWeight: Drawn;
  readonly batch: number;
  /** Figure over all samples, or figures of each class. */
  readonly value: number | readonly number[];
  /** The same, each sample by its weight. */
  readonly weighted?: number | readonly number[];
}

/** Gives the labels of a case, as a model has them: class numbers, or floats of the output's shape. */
export function labelKind({ labels, output }: Pick<MetricCase, "labels" | "output">): LabelKind {
  const sparse = labels.shape.length < output.shape.length;
  const [, ...sample] = labels.shape;
  const shape = sparse && sample.length === 0 ? [1] : sample;
  return { shape, dtype: sparse && sample.length === 0 ? "u32" : "f32", largestClass: undefined };
}

/** Loss that is 0 and takes labels of any kind: a metric's labels are its output's. */
export function labelsOnly({ shape, dtype }: LabelKind): Loss {
  const error = squaredError();
  return {
    ...error,
    name: "labelsOnly",
    labels: () => ({ shape, dtype: dtype as "f32" | "u32" }),
    call: (call) => error.call({ ...call, labels: call.output }),
  };
}

/** Builds a case without running it. @throws FeaturemapError where the library lacks what it wants */
export function buildMetric(golden: MetricCase): void {
  build(golden, metricOf(golden.metric));
}

/** Builds a case by weights of samples, if it has them. Throws as `buildMetric` does. */
export function buildWeighted(golden: MetricCase): void {
  if (golden.weighted !== undefined) build(golden, weighted(metricOf(golden.metric)));
}

function build(golden: MetricCase, metric: Metric): void {
  const [batch, ...sample] = golden.output.shape;
  const kind = labelKind(golden);
  metric.check?.(kind, sample);
  const graph = emptyGraph();
  const output = addTensor(graph, "x", "state", { shape: golden.output.shape, dtype: "f32" });
  const labels = addTensor(graph, "labels", "state", { shape: [batch!, ...kind.shape], dtype: kind.dtype });
  const accumulators = (metric.accumulators?.(sample) ?? []).map(({ name, shape, dtype = "f32" }) => {
    return [name, addTensor(graph, name, "state", { shape, dtype })] as const;
  });
  let nodes = 0;
  metric.call({
    output,
    labels,
    state: graph.state,
    accumulators: Object.fromEntries(accumulators),
    add: (op, inputs, ...attributes) => addNode(graph, `metric_${nodes++}`, op, inputs, ...attributes),
    shapeOf: (id) => tensorOf(graph, id).shape,
    producerOf: (id) => producerOf(graph, id),
    outputName: "golden",
  });
}
