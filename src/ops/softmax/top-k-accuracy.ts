import nanSource from "../../../shaders/lib/nan.wgsl";
import stateSource from "../../../shaders/lib/state.wgsl";
import crossEntropySource from "../../../shaders/softmax/lib/cross_entropy.wgsl";
import source from "../../../shaders/softmax/top_k_accuracy.wgsl";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import { inferRows, labelBindings } from "./labels.ts";

const kernel: Kernel<{ state: "read"; x: "read"; t: "read?"; class_of: "read?"; y: "write" }> = source;

/** y [batch, ...]: 1 where fewer than k of x [batch, ..., classes] are larger than that of the labels' first maximum, else 0. */
export const topKAccuracy = defineOp({
  name: "topKAccuracy",
  inputs: ["x", "labels", "state"],
  outputs: ["y"],
  attributes: typed<{ readonly k: number }>(),
  infer: (inputs, _, where) => ({ y: inferRows(inputs, where) }),
  lower: ({ inputs: { x, labels, state }, outputs, attributes: { k } }) => {
    const { rows, bind, constants } = labelBindings(x, labels);
    return [
      dispatchEach(kernel, rows, {
        bind: { state, x, ...bind, ...outputs },
        constants: { ...constants, K: k },
        libraries: [crossEntropySource, nanSource, stateSource],
      }),
    ];
  },
});
