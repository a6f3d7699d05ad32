import source from "../../../shaders/elementwise/add.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, sameShape, showShape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ a: "read"; b: "read"; c: "write" }> = source;

/** Sum c = a + b of tensors of one shape. It also adds the gradients of a tensor that is read twice. */
export const add = defineOp({
  name: "add",
  inputs: ["a", "b"],
  outputs: ["c"],
  infer: ({ a, b }, _, where) => {
    if (!sameShape(a.shape, b.shape)) {
      const got = `${showShape(a.shape)} and ${showShape(b.shape)}`;
      throw new FeaturemapError("shape", `"${where}" adds tensors of one shape, got ${got}.`);
    }
    return { c: a };
  },
  gradient: ({ gradients: { c } }) => ({ a: c, b: c }),
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
