import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/softmax/dense_cross_entropy.wgsl";
import crossEntropySource from "../../../shaders/softmax/lib/cross_entropy.wgsl";
import { ceilDiv } from "../../base/shape.ts";
import { defineOp, type Rewrite, typed } from "../../graph/op.ts";
import type { TensorId } from "../../graph/tensor.ts";
import { MAX_GROUPS } from "../../graph/tile.ts";
import { type Dispatch, dispatch, type Kernel } from "../../wgsl/kernel.ts";
import { operand, output } from "../access.ts";
import { type Activation, activationNumber, activationSources } from "../activation/activation.ts";
import { dense, denseInputGradient } from "../dense/dense.ts";
import type { Epilogue } from "../product/epilogue.ts";
import { dispatchMatmul } from "../product/matmul.ts";
import type { CrossEntropyExtras } from "./labels.ts";

const MAX_UNITS = 32;
/** Most bytes of workgroup memory for a row's sums of all lanes. Every device has 16384. */
const MAX_BYTES = 12288;

const kernel: Kernel<{
  state: "read";
  h: "read";
  w: "read";
  bias: "read?";
  t: "read?";
  class_of: "read?";
  loss: "write";
  hits: "write?";
  dx: "write?";
  dh: "write?";
}> = source;

interface Attributes extends Pick<Epilogue, "gradientActivation">, CrossEntropyExtras {
  /** Whether the gradient of x is wanted, too. */
  readonly inputGradient: boolean;
}

/**
 * End of a classifier in one kernel: a dense layer y = x kernel + bias of few units, the cross-entropy of the softmax of y, and the
 * gradients of y and x. Only a rewrite makes it, for adapters of class `gpu`, since it takes a workgroup a row. x [batch, in],
 * kernel [in, units]; `gradientActivation` is the activation that made x.
 */
export const denseCrossEntropy = defineOp({
  name: "denseCrossEntropy",
  inputs: ["x", "kernel", "bias?", "labels", "state"],
  outputs: ["loss", "hits?", "dy?", "dx?"],
  attributes: typed<Attributes>(),
  infer: ({ x, kernel }, { inputGradient, hasHits, weight }) => {
    const [batch, units] = [x.shape[0]!, kernel.shape[1]!];
    const rows = { shape: [batch], dtype: "f32" } as const;
    return {
      loss: rows,
      hits: hasHits ? rows : undefined,
      dy: weight === undefined ? undefined : { shape: [batch, units], dtype: "f32" },
      dx: inputGradient ? x : undefined,
    };
  },
  lower: ({ inputs, outputs, attributes, tile, storageBuffers }) => {
    const { gradientActivation, weight, hasHits = false } = attributes;
    const { x, kernel: weights, bias, labels, state } = inputs;
    const { loss, hits, dy, dx } = outputs;
    const [batch, units, inputSize] = [x.shape[0]!, weights.shape[1]!, weights.shape[0]!];
    const sparse = labels.dtype === "u32";
    // If a shader may bind too few buffers, the gradient of x is a product of its own.
    const bound = 7 + (bias ? 1 : 0) + (hasHits ? 1 : 0);
    const together = dx !== undefined && bound <= storageBuffers;
    const groups = Math.min(batch, MAX_GROUPS);
    const head: Dispatch<TensorId> = dispatch(kernel, {
      bind: {
        state,
        h: x,
        w: weights,
        bias,
        t: sparse ? undefined : labels,
        class_of: sparse ? labels : undefined,
        loss,
        hits,
        dx: dy,
        dh: together ? dx : undefined,
      },
      constants: {
        BATCH: batch,
        IN: inputSize,
        CLASSES: units,
        SPARSE: sparse,
        HAS_BIAS: bias !== undefined,
        HAS_GRADIENT: weight !== undefined,
        HAS_HITS: hasHits,
        WEIGHT: weight ?? 1,
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
    if (!dx || together) return [head];
    const product = { m: batch, n: inputSize, k: units };
    const bind = { a: dy!, b: weights, y: gradientActivation && x, c: dx };
    return [head, dispatchMatmul({ ...product, transposeB: true, gradientActivation }, tile(product), bind)];
  },
});

/** Chooses the lanes of a row, from 64 to 256: no more than there are inputs, or than their sums have room for. */
function lanesFor(units: number, inputs: number): number {
  const most = Math.min(256, inputs, MAX_BYTES / (16 * ceilDiv(units, 4)));
  return Math.max(64, 2 ** Math.floor(Math.log2(most)));
}

/**
 * Fuses the dense layer that makes the logits, if nothing else reads them, and the gradient of its input, if it is wanted. The rewrite is
 * late: the derivative of the activation below is fused into that gradient first.
 */
export const fuseDense: Rewrite = {
  op: "softmaxCrossEntropy",
  late: true,
  apply: (edit, node) => {
    if (edit.adapter !== "gpu") return false;
    const logits = node.inputs.x!;
    const layer = edit.producer(logits);
    if (layer?.op !== dense.name || layer.attributes.activation !== undefined) return false;
    const { shape } = edit.tensor(logits);
    if (edit.usedElsewhere(logits, [node]) || shape.length !== 2 || shape[1]! > MAX_UNITS) return false;
    const { x, kernel, bias } = layer.inputs;
    const { loss, hits, dx: dy } = node.outputs;
    const below =
      dy === undefined
        ? undefined
        : edit.readers(dy).find(({ op, inputs }) => {
            const ours = inputs.dy === dy && inputs.kernel === kernel && (inputs.x === undefined || inputs.x === x);
            return op === denseInputGradient.name && ours;
          });
    const head = edit.node(
      denseCrossEntropy,
      node.name,
      { x: x!, kernel: kernel!, bias, labels: node.inputs.labels!, state: node.inputs.state! },
      {
        ...(node.attributes as CrossEntropyExtras),
        inputGradient: below !== undefined,
        gradientActivation: below?.attributes.gradientActivation as Activation | undefined,
      },
      { loss: loss!, hits, dy, dx: below?.outputs.dx },
    );
    edit.replace([layer, node, ...(below ? [below] : [])], [head]);
    return true;
  },
};
