import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/pooling/max_pooling2d.wgsl";
import gradientSource from "../../../shaders/pooling/max_pooling2d_gradient.wgsl";
import { elements } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import type { WindowAttributes } from "../window.ts";
import { fusePooling } from "./fuse-pooling.ts";
import { type PoolGradientAttributes, pooledImages, poolingCall } from "./pooling2d.ts";

const kernel: Kernel<{ x: "read"; y: "write"; argmax: "write" }> = source;

const gradientKernel: Kernel<{ dy: "read"; argmax: "read"; dx: "write" }> = gradientSource;

export const maxPooling2dGradient = defineOp({
  name: "maxPooling2dGradient",
  inputs: ["dy", "argmax"],
  outputs: ["dx"],
  attributes: typed<PoolGradientAttributes>(),
  infer: (_, { inputShape }) => ({ dx: { shape: inputShape, dtype: "f32" } }),
  lower: ({ node, inputs, outputs, attributes }) => [
    dispatchEach(gradientKernel, elements(outputs.dx.shape), {
      bind: { ...inputs, ...outputs },
      ...poolingCall(attributes.inputShape, attributes, node.name),
    }),
  ],
});

/** Maximum y of each window, and its place `argmax` in the window: of equal ones, the first in row-major order. */
export const maxPooling2d = defineOp({
  name: "maxPooling2d",
  inputs: ["x"],
  outputs: ["y", "argmax"],
  attributes: typed<WindowAttributes>(),
  infer: ({ x }, attributes, where) => {
    const shape = pooledImages(x.shape, attributes, where);
    return { y: { shape, dtype: "f32" }, argmax: { shape, dtype: "u32" } };
  },
  gradient: ({ gradients: { y: dy }, inputs: { x }, outputs: { argmax }, attributes, tensor, add }) => ({
    x: add(maxPooling2dGradient, { dy: dy!, argmax }, { ...attributes, inputShape: tensor(x).shape }).dx,
  }),
  rewrites: [fusePooling("maxPooling2d", "maxPooling2dGradient")],
  lower: ({ node, inputs, outputs, attributes }) => [
    dispatchEach(kernel, elements(outputs.y.shape), {
      bind: { ...inputs, ...outputs },
      libraries: [...poolingCall(inputs.x.shape, attributes, node.name).libraries, nanSource],
    }),
  ],
});
