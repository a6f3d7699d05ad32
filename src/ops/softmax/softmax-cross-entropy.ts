import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import crossEntropySource from "../../../shaders/softmax/lib/cross_entropy.wgsl";
import source from "../../../shaders/softmax/softmax_cross_entropy.wgsl";
import gradientSource from "../../../shaders/softmax/softmax_cross_entropy_gradient.wgsl";
import { defineOp, type GraphEdit, type Rewrite, typed } from "../../graph/op.ts";
import type { Node } from "../../graph/tensor.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import { fuseDense } from "./dense-cross-entropy.ts";
import { type CrossEntropyExtras, inferRows, labelBindings } from "./labels.ts";

const gradientKernel: Kernel<{
  state: "read";
  x: "read";
  t: "read?";
  class_of: "read?";
  dloss: "read";
  dx: "write";
}> = gradientSource;

/** Gradient dx of `softmaxCrossEntropy`, for the gradient dloss [batch, ...] of each row's loss. */
export const softmaxCrossEntropyGradient = defineOp({
  name: "softmaxCrossEntropyGradient",
  inputs: ["x", "labels", "dloss", "state"],
  outputs: ["dx"],
  infer: ({ x }) => ({ dx: x }),
  lower: ({ inputs: { x, labels, dloss, state }, outputs }) => {
    const { rows, bind, constants } = labelBindings(x, labels);
    return [
      dispatchEach(gradientKernel, rows, {
        bind: { state, x, ...bind, dloss, ...outputs },
        constants,
        libraries: [crossEntropySource, nanSource, stateSource],
      }),
    ];
  },
});

/** Fuses the gradient for a mean of the losses into the loss, if the mean's own gradient is a constant, as in a sum of means. */
const fuseGradient: Rewrite = {
  op: "softmaxCrossEntropy",
  apply: (edit, node) => {
    if (node.attributes.weight !== undefined) return false;
    const gradient = readerOf(edit, node, "softmaxCrossEntropyGradient");
    const mean = gradient && edit.producer(gradient.inputs.dloss!);
    const seed = mean?.op === "batchMeanGradient" ? edit.producer(mean.inputs.dy!) : undefined;
    if (seed?.op !== "fill") return false;
    const weight = (mean!.attributes.weight as number) * (seed.attributes.value as number);
    const outputs = { ...node.outputs, dx: gradient!.outputs.dx! };
    edit.replace([node, gradient!], [edit.changed(node, { attributes: { ...node.attributes, weight } }, outputs)]);
    return true;
  },
};

/** Fuses the accuracy of the same rows and labels into the loss. */
const fuseAccuracy: Rewrite = {
  op: "softmaxCrossEntropy",
  apply: (edit, node) => {
    if (node.attributes.hasHits) return false;
    const metric = readerOf(edit, node, "accuracy");
    if (!metric) return false;
    const outputs = { ...node.outputs, hits: metric.outputs.y! };
    edit.replace([node, metric], [edit.changed(node, { attributes: { ...node.attributes, hasHits: true } }, outputs)]);
    return true;
  },
};

/** Finds a node of an op that reads the same logits and labels as another. */
function readerOf(edit: GraphEdit, { inputs }: Node, op: string): Node | undefined {
  return edit
    .readers(inputs.x!)
    .find((node) => node.op === op && node.inputs.x === inputs.x && node.inputs.labels === inputs.labels);
}

const kernel: Kernel<{
  state: "read";
  x: "read";
  t: "read?";
  class_of: "read?";
  loss: "write";
  hits: "write?";
  dx: "write?";
}> = source;

/**
 * Cross-entropy of softmax(x) and the labels: logits x [batch, ..., classes], labels of the same shape or, as class numbers, [batch, ...]
 * or [batch, 1]; loss [batch, ...]. Rewrites let its kernel make the hits and the gradient, too.
 */
export const softmaxCrossEntropy = defineOp({
  name: "softmaxCrossEntropy",
  inputs: ["x", "labels", "state"],
  outputs: ["loss", "hits?", "dx?"],
  attributes: typed<CrossEntropyExtras>(),
  infer: (inputs, { hasHits, weight }, where) => {
    const rows = inferRows(inputs, where);
    return { loss: rows, hits: hasHits ? rows : undefined, dx: weight === undefined ? undefined : inputs.x };
  },
  gradient: ({ gradients, inputs: { x, labels }, state, add }) => ({
    x: add(softmaxCrossEntropyGradient, { x, labels, dloss: gradients.loss!, state }).dx,
  }),
  rewrites: [fuseGradient, fuseAccuracy, fuseDense],
  lower: ({ inputs: { x, labels, state }, outputs, attributes: { weight, hasHits = false } }) => {
    const { rows, bind, constants } = labelBindings(x, labels);
    const extras = { HAS_GRADIENT: weight !== undefined, HAS_HITS: hasHits, WEIGHT: weight ?? 1 };
    return [
      dispatchEach(kernel, rows, {
        bind: { state, x, ...bind, ...outputs },
        constants: { ...constants, ...extras },
        libraries: [crossEntropySource, nanSource, stateSource],
      }),
    ];
  },
});
