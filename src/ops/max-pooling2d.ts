import code from "../../shaders/max_pooling2d.wgsl?raw";
import gradientCode from "../../shaders/max_pooling2d_gradient.wgsl?raw";
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

const kernel = defineKernel<{ x: "read"; y: "write"; argmax: "write" }>(code);

const gradientKernel = defineKernel<{ dy: "read"; argmax: "read"; dx: "write" }>(gradientCode);

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
    const { workgroups, constants, library } = perElement(elements(y!.shape));
    return [
      dispatch(kernel, {
        bind: { x: x!.id, y: y!.id, argmax: argmax!.id },
        constants: { ...constants, ...poolingConstants(x!.shape, attributes, node.name) },
        libraries: [library, poolingSource],
        workgroups,
      }),
    ];
  },
});

/** Inputs: dY, argmax. */
const maxPooling2dGradient = defineOp<PoolGradientAttributes>({
  name: "maxPooling2dGradient",
  infer: (_, { inputShape }) => [{ shape: inputShape, dtype: "f32" }],
  lower: ({ node, inputs: [dY, argmax], outputs: [dX], attributes }) => {
    const { workgroups, constants, library } = perElement(elements(dX!.shape));
    return [
      dispatch(gradientKernel, {
        bind: { dy: dY!.id, argmax: argmax!.id, dx: dX!.id },
        constants: { ...constants, ...poolingConstants(attributes.inputShape, attributes, node.name) },
        libraries: [library, poolingSource],
        workgroups,
      }),
    ];
  },
});

export const maxPooling2dOps = [maxPooling2d, maxPooling2dGradient];
