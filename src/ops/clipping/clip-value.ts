import source from "../../../shaders/clipping/clip_value.wgsl";
import nanSource from "../../../shaders/lib/nan.wgsl";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

/** y = x, brought to -limit or limit where it is beyond. */
export const clipByValue = defineOp({
  name: "clipValue",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<{ readonly limit: number }>(),
  infer: ({ x }) => ({ y: x }),
  lower: ({ inputs, outputs, attributes: { limit } }) => {
    const SIZE = elements(inputs.x.shape);
    return [
      dispatchEach(kernel, ceilDiv(SIZE, 4), {
        bind: { ...inputs, ...outputs },
        constants: { SIZE, LIMIT: limit },
        libraries: [operand("x", SIZE), output("y", SIZE), nanSource],
      }),
    ];
  },
});
