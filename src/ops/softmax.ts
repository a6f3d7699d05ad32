import code from "../../shaders/softmax.wgsl?raw";
import gradientCode from "../../shaders/softmax_gradient.wgsl?raw";
import { defineKernel, dispatch } from "../gpu/kernel.ts";
import { defineOp } from "../graph/op.ts";
import { elements, type Shape } from "../shape.ts";
import { perElement } from "./access.ts";

const kernel = defineKernel<{ x: "read"; y: "write" }>(code);

const gradientKernel = defineKernel<{ y: "read"; dy: "read"; dx: "write" }>(gradientCode);

/** Over the last axis. */
const softmax = defineOp({
  name: "softmax",
  infer: ([x]) => [x!],
  gradient: ({ gradients: [dY], outputs: [y], add }) => add("softmaxGradient", [y!, dY!]),
  lower: ({ inputs: [x], outputs: [y] }) => {
    const { sizes, call } = perRow(x!.shape);
    return [
      dispatch(kernel, {
        bind: { x: x!.id, y: y!.id },
        constants: { ...call.constants, ...sizes },
        libraries: [call.library],
        workgroups: call.workgroups,
      }),
    ];
  },
});

/** Inputs: y, dY. */
const softmaxGradient = defineOp({
  name: "softmaxGradient",
  infer: ([y]) => [y!],
  lower: ({ inputs: [y, dY], outputs: [dX] }) => {
    const { sizes, call } = perRow(y!.shape);
    return [
      dispatch(gradientKernel, {
        bind: { y: y!.id, dy: dY!.id, dx: dX!.id },
        constants: { ...call.constants, ...sizes },
        libraries: [call.library],
        workgroups: call.workgroups,
      }),
    ];
  },
});

export const softmaxOps = [softmax, softmaxGradient];

function perRow(shape: Shape) {
  const CLASSES = shape.at(-1)!;
  const ROWS = elements(shape) / CLASSES;
  return { sizes: { ROWS, CLASSES }, call: perElement(ROWS) };
}
