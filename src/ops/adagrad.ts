import code from "../../shaders/adagrad.wgsl?raw";
import { defineKernel, dispatch } from "../gpu/kernel.ts";
import { defineOp } from "../graph/op.ts";
import { inferUpdate, perUpdate } from "./update.ts";

const kernel = defineKernel<{ rate: "read"; p: "write"; g: "read"; s: "write" }>(code);

/** Adagrad's step, in place. Inputs: p, g, rate [1], the sum s of squares so far; `offset` is added to that sum. */
const adagrad = defineOp<{ readonly offset: number }>({
  name: "adagrad",
  infer: inferUpdate,
  updates: () => [0, 3],
  lower: ({ inputs: [p, g, rate, s], attributes: { offset } }) => {
    const { workgroups, constants, libraries } = perUpdate(p!.shape, ["p", "s"]);
    return [
      dispatch(kernel, {
        bind: { p: p!.id, g: g!.id, rate: rate!.id, s: s!.id },
        constants: { ...constants, OFFSET: offset },
        libraries,
        workgroups,
      }),
    ];
  },
});

export const adagradOps = [adagrad];
