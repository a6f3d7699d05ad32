import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/softmax/dense_cross_entropy.wgsl";
import crossEntropySource from "../../../shaders/softmax/lib/cross_entropy.wgsl";
import { ceilDiv } from "../../base/shape.ts";
import type { Node, TensorId } from "../../graph/graph.ts";
import { defineOp, type GraphEdit } from "../../graph/op.ts";
import { MOST_GROUPS } from "../../graph/tile.ts";
import { type Dispatch, dispatch, type Kernel } from "../../wgsl/kernel.ts";
import { operand, output } from "../access.ts";
import { type Activation, activationNumber, activationSources } from "../activation/activation.ts";
import { matmulDispatch } from "../product/matmul.ts";

const MOST_UNITS = 32;
/** Bytes of workgroup memory that a row's sums of all lanes may take. Every device has 16384. */
const MOST_BYTES = 12288;

const kernel: Kernel<{
  state: "read";
  h: "read";
  w: "read";
  bias: "read?";
  t: "read?";
  class_of: "read?";
  loss: "write";
  correct: "write";
  dx: "write";
  dh: "write?";
}> = source;

interface Attributes {
  readonly hasBias: boolean;
  /** The gradient of h is wanted, too. */
  readonly inputGradient: boolean;
  /** The activation that made h. */
  readonly gradientActivation?: Activation;
  readonly [name: string]: unknown;
}

/**
 * The end of a classifier in one: a dense layer of few units, cross-entropy of the softmax of its outputs, and their
 * gradients. Only rewrites make it, for adapters of class `gpu`: it wants a workgroup a row.
 * Inputs: h [batch, in], w [in, units], [b], labels, the step's state. Outputs: loss, correct, dX of the logits, [dH].
 */
const denseCrossEntropy = defineOp<Attributes>({
  name: "denseCrossEntropy",
  infer: ([h, w], { inputGradient }) => {
    const [batch, units] = [h!.shape[0]!, w!.shape[1]!];
    return [
      { shape: [batch], dtype: "f32" },
      { shape: [batch], dtype: "u32" },
      { shape: [batch, units], dtype: "f32" },
      ...(inputGradient ? [h!] : []),
    ];
  },
  rewrites: [(edit, node) => node.op === "softmaxCrossEntropy" && edit.adapter === "gpu" && absorbDense(edit, node)],
  lower: ({ inputs, outputs: [loss, correct, dX, dH], attributes, tile, storageBuffers }) => {
    const { hasBias, gradientActivation } = attributes;
    const [h, w, ...rest] = inputs;
    const bias = hasBias ? rest.shift() : undefined;
    const [labels, state] = rest;
    const [batch, units, inputSize] = [h!.shape[0]!, w!.shape[1]!, w!.shape[0]!];
    const sparse = labels!.dtype === "u32";
    // Where a shader binds too few buffers, the gradient of h is a product of its own.
    const together = dH !== undefined && (hasBias ? 9 : 8) <= storageBuffers;
    const groups = Math.min(batch, MOST_GROUPS);
    const head: Dispatch<TensorId> = dispatch(kernel, {
      bind: {
        state: state!,
        h: h!,
        w: w!,
        bias,
        t: sparse ? undefined : labels!,
        class_of: sparse ? labels! : undefined,
        loss: loss!,
        correct: correct!,
        dx: dX!,
        dh: together ? dH : undefined,
      },
      constants: {
        BATCH: batch,
        IN: inputSize,
        CLASSES: units,
        SPARSE: sparse,
        HAS_BIAS: hasBias,
        INPUT_GRADIENT: together,
        GRADIENT_ACTIVATION: activationNumber(gradientActivation),
        GROUPS_X: groups,
        LANES: lanesFor(units, inputSize),
      },
      libraries: [
        crossEntropySource,
        stateSource,
        operand("h", inputSize),
        operand("w", units),
        operand("bias", units),
        output("dh", inputSize),
        ...activationSources,
      ],
      workgroups: [groups, ceilDiv(batch, groups), 1],
    });
    if (!dH || together) return [head];
    const product = { m: batch, n: inputSize, k: units };
    const bind = { a: dX!, b: w!, y: gradientActivation && h!, c: dH };
    return [head, matmulDispatch({ ...product, transposeB: true, gradientActivation }, tile(product), bind)];
  },
});

/** As many as have an input each and room for their sums, from 64 to 256. */
function lanesFor(units: number, inputs: number): number {
  const most = Math.min(256, inputs, MOST_BYTES / (16 * ceilDiv(units, 4)));
  return Math.max(64, 2 ** Math.floor(Math.log2(most)));
}

export const denseCrossEntropyOps = [denseCrossEntropy];

/** Takes in the dense layer that makes the logits, if nobody else reads them, and the gradient of its input, if wanted. */
function absorbDense(edit: GraphEdit, node: Node): boolean {
  const [x, labels, state] = node.inputs;
  const [loss, correct, dX] = node.outputs;
  const layer = edit.producer(x!);
  if (layer?.op !== "dense" || layer.attributes.activation !== undefined || edit.usedBeside(x!, [node])) return false;
  if (edit.tensor(x!).shape[1]! > MOST_UNITS) return false;
  const [h, w, ...bias] = layer.inputs;
  const below = edit.readers(dX!).find(({ op, inputs: [dY, kernel, y] }) => {
    return op === "denseInputGradient" && dY === dX && kernel === w && (y === undefined || y === h);
  });
  const attributes = {
    hasBias: bias.length > 0,
    inputGradient: below !== undefined,
    ...(below?.attributes.gradientActivation !== undefined && below.attributes),
  };
  const inputs = [h!, w!, ...bias, labels!, state!];
  const outputs = [loss!, correct!, dX!, ...(below?.outputs ?? [])];
  const head = edit.node("denseCrossEntropy", node.name, inputs, attributes, outputs);
  edit.replace([layer, node, ...(below ? [below] : [])], [head]);
  return true;
}
