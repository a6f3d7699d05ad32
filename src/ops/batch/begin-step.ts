import source from "../../../shaders/batch/begin_step.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";
import { type Struct, structOf } from "../../wgsl/struct.ts";

/** Layout of the words from which the order of each epoch is made. */
export function shuffleLayout(): Struct<"key" | "epoch"> {
  return structOf(source, "Shuffle");
}

const kernel: Kernel<{ state: "write"; model_state: "write"; shuffle: "write"; order: "write" }> = source;

/**
 * Begins a step whose state is not the model's: `state` takes the next batch and `modelState`'s number of the step, which moves on.
 * Behind the last sample an epoch begins. `order` [samples] gets the samples of the batch.
 */
export const beginStep = defineOp({
  name: "beginStep",
  inputs: ["state", "modelState", "shuffle", "order"],
  outputs: [],
  attributes: typed<{ readonly shuffled: boolean }>(),
  infer: () => ({}),
  updates: ["state", "modelState", "shuffle", "order"],
  lower: ({ inputs: { state, modelState, shuffle, order }, attributes: { shuffled } }) => [
    dispatch(kernel, {
      bind: { state, model_state: modelState, shuffle, order },
      constants: { SHUFFLED: shuffled },
      libraries: [stateSource],
      workgroups: [1, 1, 1],
    }),
  ],
});
