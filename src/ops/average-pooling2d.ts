import code from "../../shaders/average_pooling2d.wgsl?raw";
import gradientCode from "../../shaders/average_pooling2d_gradient.wgsl?raw";
import { defineKernel, dispatch } from "../gpu/kernel.ts";
import { defineOp } from "../graph/op.ts";
import { elements } from "../shape.ts";
import { perElement } from "./access.ts";
import {
  type PoolAttributes,
  type PoolGradientAttributes,
  pooledImages,
  poolingConstants,
  poolingSource,
} from "./pooling2d.ts";

const kernel = defineKernel<{ x: "read"; y: "write" }>(code);

const gradientKernel = defineKernel<{ dy: "read"; dx: "write" }>(gradientCode);

/** Padding is not counted in the mean, as in Keras and TensorFlow. */
const averagePooling2d = defineOp<PoolAttributes>({
  name: "averagePooling2d",
  infer: ([x], attributes, where) => [{ shape: pooledImages(x!.shape, attributes, where), dtype: "f32" }],
  gradient: ({ gradients: [dY], inputs: [x], attributes, tensor, add }) =>
    add("averagePooling2dGradient", [dY!], { ...attributes, inputShape: tensor(x!).shape }),
  lower: ({ node, inputs: [x], outputs: [y], attributes }) => {
    const { workgroups, constants, library } = perElement(elements(y!.shape));
    return [
      dispatch(kernel, {
        bind: { x: x!.id, y: y!.id },
        constants: { ...constants, ...poolingConstants(x!.shape, attributes, node.name) },
        libraries: [library, poolingSource],
        workgroups,
      }),
    ];
  },
});

const averagePooling2dGradient = defineOp<PoolGradientAttributes>({
  name: "averagePooling2dGradient",
  infer: (_, { inputShape }) => [{ shape: inputShape, dtype: "f32" }],
  lower: ({ node, inputs: [dY], outputs: [dX], attributes }) => {
    const { workgroups, constants, library } = perElement(elements(dX!.shape));
    return [
      dispatch(gradientKernel, {
        bind: { dy: dY!.id, dx: dX!.id },
        constants: { ...constants, ...poolingConstants(attributes.inputShape, attributes, node.name) },
        libraries: [library, poolingSource],
        workgroups,
      }),
    ];
  },
});

export const averagePooling2dOps = [averagePooling2d, averagePooling2dGradient];
