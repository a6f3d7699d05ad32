import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/pooling/max_pooling2d.wgsl";
import gradientSource from "../../../shaders/pooling/max_pooling2d_gradient.wgsl";
import { elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import { type PoolAttributes, type PoolGradientAttributes, pooledImages, poolingCall } from "./pooling2d.ts";

const kernel: Kernel<{ x: "read"; y: "write"; argmax: "write" }> = source;

const gradientKernel: Kernel<{ dy: "read"; argmax: "read"; dx: "write" }> = gradientSource;

/** Outputs: y, and the place in its window of each maximum, the first of equal ones in row-major order. */
const maxPooling2d = defineOp<PoolAttributes>({
  name: "maxPooling2d",
  infer: ([x], attributes, where) => {
    const shape = pooledImages(x!.shape, attributes, where);
    return [
      { shape, dtype: "f32" },
      { shape, dtype: "u32" },
    ];
  },
  gradient: ({ gradients: [dY], inputs: [x], outputs: [, argmax], attributes, tensor, add }) =>
    add("maxPooling2dGradient", [dY!, argmax!], { ...attributes, inputShape: tensor(x!).shape }),
  lower: ({ node, inputs: [x], outputs: [y, argmax], attributes }) => {
    return [
      dispatchEach(kernel, elements(y!.shape), {
        bind: { x: x!, y: y!, argmax: argmax! },
        libraries: [...poolingCall(x!.shape, attributes, node.name).libraries, nanSource],
      }),
    ];
  },
});

/** Inputs: dY, argmax. */
const maxPooling2dGradient = defineOp<PoolGradientAttributes>({
  name: "maxPooling2dGradient",
  infer: (_, { inputShape }) => [{ shape: inputShape, dtype: "f32" }],
  lower: ({ node, inputs: [dY, argmax], outputs: [dX], attributes }) => {
    return [
      dispatchEach(gradientKernel, elements(dX!.shape), {
        bind: { dy: dY!, argmax: argmax!, dx: dX! },
        ...poolingCall(attributes.inputShape, attributes, node.name),
      }),
    ];
  },
});

export const maxPooling2dOps = [maxPooling2d, maxPooling2dGradient];
