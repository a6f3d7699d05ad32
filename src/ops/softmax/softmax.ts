import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/softmax/softmax.wgsl";
import gradientSource from "../../../shaders/softmax/softmax_gradient.wgsl";
import { elements, type Shape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

const gradientKernel: Kernel<{ y: "read"; dy: "read"; dx: "write" }> = gradientSource;

export const softmaxGradient = defineOp({
  name: "softmaxGradient",
  inputs: ["y", "dy"],
  outputs: ["dx"],
  infer: ({ y }) => ({ dx: y }),
  lower: ({ inputs, outputs }) => {
    const constants = rowConstants(inputs.y.shape);
    return [dispatchEach(gradientKernel, constants.ROWS, { bind: { ...inputs, ...outputs }, constants })];
  },
});

/** Softmax over the last axis. */
export const softmax = defineOp({
  name: "softmax",
  inputs: ["x"],
  outputs: ["y"],
  infer: ({ x }) => ({ y: x }),
  gradient: ({ gradients: { y: dy }, outputs: { y }, add }) => ({ x: add(softmaxGradient, { y, dy: dy! }).dx }),
  lower: ({ inputs, outputs }) => {
    const constants = rowConstants(inputs.x.shape);
    return [
      dispatchEach(kernel, constants.ROWS, { bind: { ...inputs, ...outputs }, constants, libraries: [nanSource] }),
    ];
  },
});

function rowConstants(shape: Shape) {
  const CLASSES = shape.at(-1)!;
  return { ROWS: elements(shape) / CLASSES, CLASSES };
}
