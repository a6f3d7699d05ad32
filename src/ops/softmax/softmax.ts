import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/softmax/softmax.wgsl";
import gradientSource from "../../../shaders/softmax/softmax_gradient.wgsl";
import { elements, type Shape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

const gradientKernel: Kernel<{ y: "read"; dy: "read"; dx: "write" }> = gradientSource;

/** Over the last axis. */
const softmax = defineOp({
  name: "softmax",
  infer: ([x]) => [x!],
  gradient: ({ gradients: [dY], outputs: [y], add }) => add("softmaxGradient", [y!, dY!]),
  lower: ({ inputs: [x], outputs: [y] }) => {
    const constants = rowConstants(x!.shape);
    return [dispatchEach(kernel, constants.ROWS, { bind: { x: x!, y: y! }, constants, libraries: [nanSource] })];
  },
});

/** Inputs: y, dY. */
const softmaxGradient = defineOp({
  name: "softmaxGradient",
  infer: ([y]) => [y!],
  lower: ({ inputs: [y, dY], outputs: [dX] }) => {
    const constants = rowConstants(y!.shape);
    return [dispatchEach(gradientKernel, constants.ROWS, { bind: { y: y!, dy: dY!, dx: dX! }, constants })];
  },
});

export const softmaxOps = [softmax, softmaxGradient];

function rowConstants(shape: Shape) {
  const CLASSES = shape.at(-1)!;
  return { ROWS: elements(shape) / CLASSES, CLASSES };
}
