import scatterSource from "../../../shaders/batch/batch_scatter.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { elements } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ state: "read"; y: "read"; rows: "write" }> = scatterSource;

/** Writes the rows of y to their places among all samples' rows, in place. */
export const batchScatter = defineOp({
  name: "batchScatter",
  inputs: ["state", "y", "rows"],
  outputs: [],
  infer: () => ({}),
  updates: ["rows"],
  lower: ({ inputs }) => {
    const { shape } = inputs.y;
    const count = elements(shape);
    return [
      dispatchEach(kernel, count, {
        bind: inputs,
        constants: { BATCH: shape[0]!, SIZE: count / shape[0]! },
        libraries: [stateSource],
      }),
    ];
  },
});
