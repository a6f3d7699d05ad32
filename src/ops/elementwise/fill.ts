import source from "../../../shaders/elementwise/fill.wgsl";
import { elements, type Shape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ y: "write" }> = source;

/** Tensor of one value: y[e] = value for each e. */
export const fill = defineOp({
  name: "fill",
  inputs: [],
  outputs: ["y"],
  attributes: typed<{ readonly shape: Shape; readonly value: number }>(),
  infer: (_, { shape }) => ({ y: { shape, dtype: "f32" } }),
  gradient: () => ({}),
  lower: ({ outputs, attributes: { shape, value } }) => [
    dispatchEach(kernel, elements(shape), { bind: outputs, constants: { SIZE: elements(shape), VALUE: value } }),
  ],
});
