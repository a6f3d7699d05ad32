import source from "../../../shaders/batch/sample_factors.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";

const kernel: Kernel<{ state: "read"; weights: "read?"; factors: "write" }> = source;

/**
 * Factor of each sample's loss, by which the mean over the rows in use becomes another reduction: scale * weights * rows, of which the mean
 * is a sum; with `byWeight`, scale * weights * rows / (sum of weights), which is 0 if that sum is 0. weights [batch], 1 by default;
 * factors [batch], 0 for rows not in use. Weights are data, so it has no gradient.
 */
export const sampleFactors = defineOp({
  name: "sampleFactors",
  inputs: ["state", "weights?"],
  outputs: ["factors"],
  attributes: typed<{
    readonly batch: number;
    readonly scale: number;
    readonly byWeight: boolean;
  }>(),
  infer: (_, { batch }) => ({ factors: { shape: [batch], dtype: "f32" } }),
  lower: ({ inputs, outputs, attributes: { batch, scale, byWeight } }) => [
    dispatch(kernel, {
      bind: { ...inputs, ...outputs },
      constants: { BATCH: batch, HAS_WEIGHTS: inputs.weights !== undefined, BY_WEIGHT: byWeight, SCALE: scale },
      libraries: [stateSource],
      workgroups: [1, 1, 1],
    }),
  ],
});
