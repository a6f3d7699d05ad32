import source from "../../../shaders/clipping/scale_by.wgsl";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ x: "read"; factor: "read"; y: "write" }> = source;

/** y = x times factor [1]. */
export const scaleBy = defineOp({
  name: "scaleBy",
  inputs: ["x", "factor"],
  outputs: ["y"],
  infer: ({ x }) => ({ y: x }),
  lower: ({ inputs, outputs }) => {
    const SIZE = elements(inputs.x.shape);
    return [
      dispatchEach(kernel, ceilDiv(SIZE, 4), {
        bind: { ...inputs, ...outputs },
        constants: { SIZE },
        libraries: [operand("x", SIZE), output("y", SIZE)],
      }),
    ];
  },
});
