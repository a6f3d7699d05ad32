import source from "../../../shaders/pooling/average_pooling2d.wgsl";
import gradientSource from "../../../shaders/pooling/average_pooling2d_gradient.wgsl";
import { elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import { type PoolAttributes, type PoolGradientAttributes, pooledImages, poolingCall } from "./pooling2d.ts";

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

const gradientKernel: Kernel<{ dy: "read"; dx: "write" }> = gradientSource;

/** Padding is not counted in the mean, as in Keras and TensorFlow. */
const averagePooling2d = defineOp<PoolAttributes>({
  name: "averagePooling2d",
  infer: ([x], attributes, where) => [{ shape: pooledImages(x!.shape, attributes, where), dtype: "f32" }],
  gradient: ({ gradients: [dY], inputs: [x], attributes, tensor, add }) =>
    add("averagePooling2dGradient", [dY!], { ...attributes, inputShape: tensor(x!).shape }),
  lower: ({ node, inputs: [x], outputs: [y], attributes }) => {
    return [
      dispatchEach(kernel, elements(y!.shape), {
        bind: { x: x!, y: y! },
        ...poolingCall(x!.shape, attributes, node.name),
      }),
    ];
  },
});

const averagePooling2dGradient = defineOp<PoolGradientAttributes>({
  name: "averagePooling2dGradient",
  infer: (_, { inputShape }) => [{ shape: inputShape, dtype: "f32" }],
  lower: ({ node, inputs: [dY], outputs: [dX], attributes }) => {
    return [
      dispatchEach(gradientKernel, elements(dX!.shape), {
        bind: { dy: dY!, dx: dX! },
        ...poolingCall(attributes.inputShape, attributes, node.name),
      }),
    ];
  },
});

export const averagePooling2dOps = [averagePooling2d, averagePooling2dGradient];
