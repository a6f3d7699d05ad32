import stateSource from "../../../shaders/lib/state.wgsl";
import oneMinusExpSource from "../../../shaders/updates/lib/one_minus_exp.wgsl";
import source from "../../../shaders/updates/nadam_factors.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";
import { logarithm } from "./update.ts";

const kernel: Kernel<{ state: "read"; product: "write"; factors: "write" }> = source;

/** Factors [3] of Nadam's step, the same for all parameters. product [1], that of all momenta so far, changes in place. */
export const nadamFactors = defineOp({
  name: "nadamFactors",
  inputs: ["state", "product"],
  outputs: ["factors"],
  attributes: typed<{ readonly beta1: number; readonly beta2: number }>(),
  infer: () => ({ factors: { shape: [3], dtype: "f32" } }),
  updates: ["product"],
  lower: ({ inputs, outputs, attributes: { beta1, beta2 } }) => [
    dispatch(kernel, {
      bind: { ...inputs, ...outputs },
      constants: { BETA_1: beta1, LOG_2: logarithm(beta2) },
      libraries: [stateSource, oneMinusExpSource],
      workgroups: [1, 1, 1],
    }),
  ],
});
