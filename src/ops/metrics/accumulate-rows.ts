import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/metrics/accumulate_rows.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { elements, showShape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ state: "read"; x: "read"; weights: "read?"; sums: "write" }> = source;

/**
 * Adds the rows in use of x [batch, ...size], each times its weight, to sums [2, size] in place: high and low parts. weights [batch] are 1 by
 * default.
 */
export const accumulateRows = defineOp({
  name: "accumulateRows",
  inputs: ["x", "state", "weights?", "sums"],
  outputs: [],
  updates: ["sums"],
  infer: ({ x, sums }, _, where) => {
    const size = elements(x.shape) / x.shape[0]!;
    if (elements(sums.shape) === 2 * size) return {};
    const got = `${showShape(x.shape)} and ${showShape(sums.shape)}`;
    throw new FeaturemapError("shape", `"${where}" wants two sums for each number of a row, got ${got}.`);
  },
  lower: ({ inputs: { x, state, weights, sums } }) => {
    const batch = x.shape[0]!;
    const size = elements(x.shape) / batch;
    return [
      dispatchEach(kernel, size, {
        bind: { state, x, weights, sums },
        constants: { BATCH: batch, SIZE: size, HAS_WEIGHTS: weights !== undefined },
        libraries: [nanSource, stateSource],
      }),
    ];
  },
});
