import source from "../../../shaders/pooling/average_pooling2d.wgsl";
import gradientSource from "../../../shaders/pooling/average_pooling2d_gradient.wgsl";
import { elements } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import type { WindowAttributes } from "../window.ts";
import { fusePooling } from "./fuse-pooling.ts";
import { type PoolGradientAttributes, pooledImages, poolingCall } from "./pooling2d.ts";

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

const gradientKernel: Kernel<{ dy: "read"; dx: "write" }> = gradientSource;

export const averagePooling2dGradient = defineOp({
  name: "averagePooling2dGradient",
  inputs: ["dy"],
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

/** Mean of each window. Padding is not counted, as in Keras and TensorFlow. */
export const averagePooling2d = defineOp({
  name: "averagePooling2d",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<WindowAttributes>(),
  infer: ({ x }, attributes, where) => ({ y: { shape: pooledImages(x.shape, attributes, where), dtype: "f32" } }),
  gradient: ({ gradients: { y: dy }, inputs: { x }, attributes, tensor, add }) => ({
    x: add(averagePooling2dGradient, { dy: dy! }, { ...attributes, inputShape: tensor(x).shape }).dx,
  }),
  rewrites: [fusePooling("averagePooling2d", "averagePooling2dGradient")],
  lower: ({ node, inputs, outputs, attributes }) => [
    dispatchEach(kernel, elements(outputs.y.shape), {
      bind: { ...inputs, ...outputs },
      ...poolingCall(inputs.x.shape, attributes, node.name),
    }),
  ],
});
