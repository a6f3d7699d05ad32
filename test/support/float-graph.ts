/** A step of dense layers in float64: what nodes of a graph compute, by the references of their ops. */

import type { Graph } from "../../src/graph/graph.ts";
import type { TensorId } from "../../src/graph/tensor.ts";
import { denseGradients, dense as denseOf } from "../reference/matmul.ts";
import { softmax, softmaxCrossEntropy } from "../reference/softmax.ts";

/** Rows of a batch, and those in use. */
export const BATCH = 4;
export const ROWS = 3;

type Values = ReadonlyMap<TensorId, Float64Array>;
interface Call {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Values of an input, and the length of its last axis. */
  of(name: string): Float64Array;
  width(name: string): number;
}
export const sum = (values: Float64Array) => values.reduce((a, b) => a + b, 0);
const sizesOf = (inputs: number, units: number) => ({ rows: BATCH, inputs, units });

/** The reference's cross-entropy of the rows in use; its gradient is that of their mean. */
function crossEntropy({ of, width }: Call) {
  const [count, labels] = [width("x"), of("labels")];
  const oneHot = () =>
    new Float64Array(BATCH * count).map((_, i) => (labels[Math.floor(i / count)] === i % count ? 1 : 0));
  return softmaxCrossEntropy(of("x"), width("labels") === 1 ? oneHot() : labels, count, ROWS);
}

/** What ops compute, in float64. */
const OPS: Record<string, (call: Call) => Record<string, Float64Array>> = {
  batchGather: ({ of }) => ({ rows: of("source") }),
  add: ({ of }) => ({ c: of("a").map((value, i) => value + of("b")[i]!) }),
  multiply: ({ of }) => ({ c: of("a").map((value, i) => value * of("b")[i]!) }),
  fill: ({ attributes }) => ({ y: Float64Array.of(attributes.value as number) }),
  softmax: ({ of, width }) => ({ y: softmax(of("x"), width("x")) }),
  batchMean: ({ of, attributes }) => ({
    y: Float64Array.of(((attributes.weight as number) * sum(of("x").subarray(0, ROWS))) / ROWS),
  }),
  batchMeanGradient: ({ of, attributes }) => ({
    dx: new Float64Array(BATCH).map((_, r) => (r < ROWS ? ((attributes.weight as number) * of("dy")[0]!) / ROWS : 0)),
  }),
  softmaxCrossEntropy: (call) => {
    const { losses, dLogits } = crossEntropy(call);
    return { loss: losses, dx: dLogits.map((value) => (call.attributes.weight as number) * value) };
  },
  softmaxCrossEntropyGradient: (call) => {
    const { of, width } = call;
    return {
      dx: crossEntropy(call).dLogits.map((value, i) => value * ROWS * of("dloss")[Math.floor(i / width("x"))]!),
    };
  },
  dense: ({ of, width }) => ({
    y: denseOf(of("x"), of("kernel"), of("bias"), sizesOf(width("x"), width("kernel"))),
  }),
  denseInputGradient: ({ of, width }) => {
    const inputs = of("kernel").length / width("kernel");
    const sizes = sizesOf(inputs, width("kernel"));
    return { dx: denseGradients(new Float64Array(BATCH * inputs), of("kernel"), of("dy"), sizes).dX };
  },
  denseFilterGradient: ({ of, width }) => {
    const sizes = sizesOf(width("x"), width("dy"));
    const { dW, dB } = denseGradients(of("x"), new Float64Array(sizes.inputs * sizes.units), of("dy"), sizes);
    return { dkernel: dW, dbias: dB };
  },
};

/** Runs nodes in their order, and returns what all tensors hold. Data are the rows that gathers read. */
export function runNodes({ nodes, tensors }: Pick<Graph, "nodes" | "tensors">, given: Values): Values {
  const values = new Map(given);
  for (const { op, inputs, outputs, attributes } of nodes) {
    const made = OPS[op]!({
      attributes,
      of: (name) => values.get(inputs[name]!)!,
      width: (name) => tensors[inputs[name]!]!.shape.at(-1)!,
    });
    for (const [name, id] of Object.entries(outputs)) values.set(id, made[name]!);
  }
  return values;
}
