import source from "../../../shaders/elementwise/constant.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { elements, type Shape, showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ y: "write" }> = source;

/** Most numbers that one may have: they are text in the shader. */
export const MAX_CONSTANTS = 1024;

/** Tensor of numbers that are given, in row-major order. They are part of the shader, so there are few of them. */
export const constant = defineOp({
  name: "constant",
  inputs: [],
  outputs: ["y"],
  attributes: typed<{ readonly shape: Shape; readonly values: readonly number[] }>(),
  infer: (_, { shape, values }, where) => {
    if (elements(shape) === values.length && values.length <= MAX_CONSTANTS) return { y: { shape, dtype: "f32" } };
    const got = `${values.length} for ${showShape(shape)}`;
    throw new FeaturemapError(
      "shape",
      `"${where}" wants a number for each element, at most ${MAX_CONSTANTS}, got ${got}.`,
    );
  },
  gradient: () => ({}),
  sharesDispatch: true,
  lower: ({ outputs, attributes: { values } }) => {
    const list = values
      .map((value) => `bitcast<f32>(${new Uint32Array(Float32Array.of(value).buffer)[0]}u)`)
      .join(", ");
    const code = `fn value_at(e: u32) -> f32 {\n  var values = array<f32, ${values.length}>(${list});\n  return values[e];\n}\n`;
    return [
      dispatchEach(kernel, values.length, { bind: outputs, constants: { SIZE: values.length }, libraries: [{ code }] }),
    ];
  },
});
