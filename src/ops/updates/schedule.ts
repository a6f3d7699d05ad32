import stateSource from "../../../shaders/lib/state.wgsl";
import kernelSource from "../../../shaders/updates/schedule.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Constant } from "../../wgsl/expression.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";
import type { Source } from "../../wgsl/specialize.ts";

const kernel: Kernel<{ state: "read"; rate: "write" }> = kernelSource;

export interface ScheduleAttributes {
  /** Library files. One of them provides `rate_at(t: u32) -> f32`, t the number of steps made so far. */
  readonly libraries: readonly Source[];
  /** Values of its constants. */
  readonly constants: Readonly<Record<string, Constant>>;
}

/** rate [1] of a schedule, from the number of steps in the state. */
export const schedule = defineOp({
  name: "schedule",
  inputs: ["state"],
  outputs: ["rate"],
  attributes: typed<ScheduleAttributes>(),
  infer: () => ({ rate: { shape: [1], dtype: "f32" } }),
  lower: ({ inputs, outputs, attributes: { libraries, constants } }) => [
    dispatch(kernel, {
      bind: { ...inputs, ...outputs },
      constants,
      libraries: [...libraries, stateSource],
      workgroups: [1, 1, 1],
    }),
  ],
});
