import stateSource from "../../../shaders/lib/state.wgsl";
import source from "../../../shaders/metrics/threshold_counts.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { elements, showShape } from "../../base/shape.ts";
import { defineOp } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ state: "read"; x: "read"; t: "read?"; class_of: "read?"; counts: "write" }> = source;

/**
 * Counts the numbers of x [batch, ...] by label and by bucket between 0 and 1, in place: counts [2, buckets]. Labels are rows of x's
 * shape, 0 or not, or class numbers [batch, 1].
 */
export const thresholdCounts = defineOp({
  name: "thresholdCounts",
  inputs: ["x", "labels", "state", "counts"],
  outputs: [],
  updates: ["counts"],
  infer: ({ x, labels }, _, where) => {
    const batch = x.shape[0]!;
    const wanted = labels.dtype === "u32" ? batch : elements(x.shape);
    if (labels.shape[0] === batch && elements(labels.shape) === wanted) return {};
    const got = `${showShape(x.shape)} and ${showShape(labels.shape)}`;
    throw new FeaturemapError("shape", `"${where}" wants a label for each number or for each row, got ${got}.`);
  },
  lower: ({ inputs: { x, labels, state, counts } }) => {
    const sparse = labels.dtype === "u32";
    const bind = { state, x, t: sparse ? undefined : labels, class_of: sparse ? labels : undefined, counts };
    const count = elements(x.shape);
    const [BATCH, BUCKETS] = [x.shape[0]!, counts.shape[1]!];
    return [
      dispatchEach(kernel, count, {
        bind,
        constants: { BATCH, SIZE: count / BATCH, BUCKETS, SPARSE: sparse },
        libraries: [stateSource],
      }),
    ];
  },
});
