import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/softmax/accuracy.wgsl";
import crossEntropySource from "../../../shaders/softmax/lib/cross_entropy.wgsl";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import { inferRows, labelBindings } from "./labels.ts";

const kernel: Kernel<{ state: "read"; x: "read"; t: "read?"; class_of: "read?"; y: "write" }> = source;

/** Hits y [batch, ...]: 1 where x [batch, ..., classes] and the labels have their first maximum in the same class, else 0. */
export const accuracy = defineOp({
  name: "accuracy",
  inputs: ["x", "labels", "state"],
  outputs: ["y"],
  infer: (inputs, _, where) => ({ y: inferRows(inputs, where) }),
  lower: ({ inputs: { x, labels, state }, outputs }) => {
    const { rows, bind, constants } = labelBindings(x, labels);
    return [
      dispatchEach(kernel, rows, {
        bind: { state, x, ...bind, ...outputs },
        constants,
        libraries: [crossEntropySource, nanSource, stateSource],
      }),
    ];
  },
});
