import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/updates/accumulation_state.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import { stepState } from "../../graph/step-state.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";
import type { AccumulationAttributes } from "./accumulate-gradient.ts";

const kernel: Kernel<{ state: "read"; updates: "write" }> = source;

/** Gives the state as an optimizer sees it that updates once in `steps` steps. Its rows are 0 unless this step ends with an update. */
export const accumulationState = defineOp({
  name: "accumulationState",
  inputs: ["state"],
  outputs: ["updates"],
  attributes: typed<AccumulationAttributes>(),
  infer: () => ({ updates: { shape: [stepState().words], dtype: "u32" } }),
  lower: ({ inputs, outputs, attributes: { steps } }) => [
    dispatch(kernel, {
      bind: { ...inputs, ...outputs },
      constants: { STEPS: steps },
      libraries: [stateSource],
      workgroups: [1, 1, 1],
    }),
  ],
});
