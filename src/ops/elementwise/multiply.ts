import source from "../../../shaders/elementwise/multiply.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, sameShape, showShape } from "../../base/shape.ts";
import { defineOp, type NoAttributes, type Op } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ a: "read"; b: "read"; c: "write" }> = source;

/** Product c = a * b, element by element, of tensors of one shape: da = dc * b, db = dc * a. */
export const multiply: Op<"a" | "b", "c", NoAttributes> = defineOp({
  name: "multiply",
  inputs: ["a", "b"],
  outputs: ["c"],
  infer: ({ a, b }, _, where) => {
    if (!sameShape(a.shape, b.shape)) {
      const got = `${showShape(a.shape)} and ${showShape(b.shape)}`;
      throw new FeaturemapError("shape", `"${where}" multiplies tensors of one shape, got ${got}.`);
    }
    return { c: a };
  },
  gradient: ({ gradients: { c: dc }, inputs: { a, b }, wanted, add }) => ({
    a: wanted.a ? add(multiply, { a: dc!, b }).c : undefined,
    b: wanted.b ? add(multiply, { a: dc!, b: a }).c : undefined,
  }),
  lower: ({ inputs, outputs }) => {
    const SIZE = elements(outputs.c.shape);
    return [
      dispatchEach(kernel, ceilDiv(SIZE, 4), {
        bind: { ...inputs, ...outputs },
        constants: { SIZE },
        libraries: [operand("a", SIZE), operand("b", SIZE), output("c", SIZE)],
      }),
    ];
  },
});
