import source from "../../../shaders/elementwise/add.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, sameShape, showShape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ a: "read"; b: "read"; c: "write" }> = source;

/** c = a + b, of one shape. Also the sum of the gradients of a tensor that is read twice. */
const add = defineOp({
  name: "add",
  infer: ([a, b], _, where) => {
    if (!sameShape(a!.shape, b!.shape)) {
      const got = `${showShape(a!.shape)} and ${showShape(b!.shape)}`;
      throw new FeaturemapError("shape", `"${where}" adds tensors of one shape, got ${got}.`);
    }
    return [a!];
  },
  gradient: ({ gradients: [dC] }) => [dC, dC],
  lower: ({ inputs: [a, b], outputs: [c] }) => {
    const size = elements(c!.shape);
    return [
      dispatchEach(kernel, ceilDiv(size, 4), {
        bind: { a: a!, b: b!, c: c! },
        constants: { SIZE: size },
        libraries: [operand("a", size), operand("b", size), output("c", size)],
      }),
    ];
  },
});

export const addOps = [add];
