import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import crossEntropySource from "../../../shaders/softmax/lib/cross_entropy.wgsl";
import source from "../../../shaders/softmax/softmax_cross_entropy.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { showShape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{
  state: "read";
  x: "read";
  t: "read?";
  class_of: "read?";
  loss: "write";
  correct: "write";
  dx: "write";
}> = source;

/**
 * Cross-entropy of softmax(x) and the labels, its hits and its gradient, in one. Inputs: logits x [batch, classes], labels
 * [batch, classes] of floats or [batch, 1] of class numbers, the step's state.
 * Outputs: loss [batch], correct [batch], dX, which belongs to the mean loss over the rows in use.
 */
const softmaxCrossEntropy = defineOp({
  name: "softmaxCrossEntropy",
  infer: ([x, labels], _, where) => {
    const [batch, classes] = x!.shape;
    const wanted = labels!.dtype === "u32" ? [batch!, 1] : [batch!, classes!];
    if (x!.shape.length !== 2 || showShape(labels!.shape) !== showShape(wanted)) {
      const got = `${showShape(x!.shape)} and ${showShape(labels!.shape)}`;
      throw new FeaturemapError(
        "shape",
        `"${where}" wants logits [batch, classes] and labels ${showShape(wanted)}, got ${got}.`,
      );
    }
    return [{ shape: [batch!], dtype: "f32" }, { shape: [batch!], dtype: "u32" }, x!];
  },
  gradient: ({ outputs: [, , dX] }) => [dX],
  lower: ({ inputs: [x, labels, state], outputs: [loss, correct, dX] }) => {
    const [batch, classes] = x!.shape as [number, number];
    const sparse = labels!.dtype === "u32";
    return [
      dispatchEach(kernel, batch, {
        bind: {
          state: state!,
          x: x!,
          t: sparse ? undefined : labels!,
          class_of: sparse ? labels! : undefined,
          loss: loss!,
          correct: correct!,
          dx: dX!,
        },
        constants: { BATCH: batch, CLASSES: classes, SPARSE: sparse },
        libraries: [crossEntropySource, nanSource, stateSource],
      }),
    ];
  },
});

export const softmaxCrossEntropyOps = [softmaxCrossEntropy];
