import accumulateSource from "../../../shaders/batch/accumulate_means.wgsl";
import advanceSource from "../../../shaders/batch/advance.wgsl";
import meansSource from "../../../shaders/batch/lib/means.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { dispatch, type Kernel } from "../../wgsl/kernel.ts";
import { type Struct, structOf } from "../../wgsl/struct.ts";

/** Layout of a mean over the samples of a sweep. */
export function meanLayout(): Struct<"sum_high" | "sum_low" | "samples" | "steps" | "bad_step"> {
  return structOf(meansSource, "Mean");
}

/** Most means that one node adds up. */
export const MAX_MEANS = 4;

type ValueNames = "values_0?" | "values_1?" | "values_2?" | "values_3?";
const VALUES: readonly ValueNames[] = ["values_0?", "values_1?", "values_2?", "values_3?"];

interface Attributes {
  readonly batch: number;
  /** Index of the first mean among all. */
  readonly first: number;
}

function constantsOf(inputs: Readonly<Record<string, Tensor | undefined>>, { batch, first }: Attributes) {
  const count = VALUES.filter((name) => inputs[name.replace("?", "")]).length;
  return { BATCH: batch, MEANS: count, FIRST: first };
}

const accumulateKernel: Kernel<{
  state: "read";
  values_0: "read";
  values_1: "read?";
  values_2: "read?";
  values_3: "read?";
  means: "write";
}> = accumulateSource;

/** Adds up to four numbers a sample, values_i [batch], to their means. */
export const accumulateMeans = defineOp({
  name: "accumulateMeans",
  inputs: ["state", "values_0", "values_1?", "values_2?", "values_3?", "means"],
  outputs: [],
  attributes: typed<Attributes>(),
  infer: () => ({}),
  updates: ["means"],
  lower: ({ inputs, attributes }) => [
    dispatch(accumulateKernel, {
      bind: inputs,
      constants: constantsOf(inputs, attributes),
      libraries: [meansSource, stateSource],
      workgroups: [1, 1, 1],
    }),
  ],
});

const advanceKernel: Kernel<{
  state: "write";
  values_0: "read?";
  values_1: "read?";
  values_2: "read?";
  values_3: "read?";
  means: "write?";
}> = advanceSource;

/** Ends a step: adds values to their means, as `accumulateMeans` does, and moves the state on to the next batch. */
export const advance = defineOp({
  name: "advance",
  inputs: ["state", ...VALUES, "means?"],
  outputs: [],
  attributes: typed<Attributes>(),
  infer: () => ({}),
  updates: ["state", "means"],
  lower: ({ inputs, attributes }) => [
    dispatch(advanceKernel, {
      bind: inputs,
      constants: constantsOf(inputs, attributes),
      libraries: [meansSource, stateSource],
      workgroups: [1, 1, 1],
    }),
  ],
});
