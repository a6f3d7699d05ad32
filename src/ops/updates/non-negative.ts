import nanSource from "../../../shaders/lib/nan.wgsl";
import source from "../../../shaders/updates/non_negative.wgsl";
import { ceilDiv, elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, output } from "../access.ts";

const kernel: Kernel<{ p: "write" }> = source;

/** p := max(p, 0), in place. A NaN stays one. */
export const nonNegative = defineOp({
  name: "nonNegative",
  inputs: ["p"],
  outputs: [],
  infer: () => ({}),
  updates: ["p"],
  lower: ({ inputs }) => {
    const SIZE = elements(inputs.p.shape);
    return [
      dispatchEach(kernel, ceilDiv(SIZE, 4), {
        bind: inputs,
        constants: { SIZE },
        libraries: [output("p", SIZE), nanSource],
      }),
    ];
  },
});
