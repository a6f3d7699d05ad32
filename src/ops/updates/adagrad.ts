import source from "../../../shaders/updates/adagrad.wgsl";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchUpdate, inferUpdate } from "./update.ts";

const kernel: Kernel<{ rate: "read"; p: "write"; g: "read"; s: "write" }> = source;

/** Adagrad's step, in place. Inputs: p, g, rate [1], the sum s of squares so far; `offset` is added to that sum. */
const adagrad = defineOp<{ readonly offset: number }>({
  name: "adagrad",
  infer: inferUpdate,
  updates: () => [0, 3],
  lower: ({ inputs: [p, g, rate, s], attributes: { offset } }) => {
    return [
      dispatchUpdate(kernel, p!.shape, ["p", "s"], {
        bind: { p: p!, g: g!, rate: rate!, s: s! },
        constants: { OFFSET: offset },
      }),
    ];
  },
});

export const adagradOps = [adagrad];
