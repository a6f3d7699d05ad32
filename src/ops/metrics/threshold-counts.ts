import stateSource from "../../../shaders/lib/state.wgsl";
import bucketsSource from "../../../shaders/metrics/lib/buckets.wgsl";
import labelsSource from "../../../shaders/metrics/lib/labels.wgsl";
import source from "../../../shaders/metrics/threshold_counts.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { elements, showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { TensorSpec } from "../../graph/tensor.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ state: "read"; x: "read"; t: "read?"; class_of: "read?"; counts: "write" }> = source;

interface Attributes {
  /** Whether numbers that are 0, or less, are counted in the last bucket, which is above no threshold. Default false. */
  readonly zerosApart?: boolean;
}

/**
 * Counts the numbers of x [batch, ...] by label and by bucket between 0 and 1, in place: counts [2, buckets], or [labels, 2, buckets] of each
 * place along the last axis by itself. Labels are rows of x's shape, 0 or not, or class numbers [batch, 1].
 */
export const thresholdCounts = defineOp({
  name: "thresholdCounts",
  inputs: ["x", "labels", "state", "counts"],
  outputs: [],
  attributes: typed<Attributes>(),
  updates: ["counts"],
  infer: ({ x, labels }, _, where) => {
    assertThresholdInputs(x, labels, where);
    return {};
  },
  lower: ({ inputs: { x, labels, state, counts }, attributes: { zerosApart = false } }) => {
    const sparse = labels.dtype === "u32";
    const bind = { state, x, t: sparse ? undefined : labels, class_of: sparse ? labels : undefined, counts };
    const count = elements(x.shape);
    const [BATCH, BUCKETS] = [x.shape[0]!, counts.shape.at(-1)!];
    const LABELS = elements(counts.shape) / (2 * BUCKETS);
    return [
      dispatchEach(kernel, count, {
        bind,
        constants: { BATCH, SIZE: count / BATCH, BUCKETS, SPARSE: sparse, LABELS, ZEROS_APART: zerosApart },
        libraries: [stateSource, labelsSource, bucketsSource],
      }),
    ];
  },
});

/** @throws FeaturemapError `shape` unless there is a label for each number of x, or a class number for each row */
export function assertThresholdInputs(x: TensorSpec, labels: TensorSpec, where: string): void {
  const batch = x.shape[0]!;
  const wanted = labels.dtype === "u32" ? batch : elements(x.shape);
  if (labels.shape[0] === batch && elements(labels.shape) === wanted) return;
  const got = `${showShape(x.shape)} and ${showShape(labels.shape)}`;
  throw new FeaturemapError("shape", `"${where}" wants a label for each number or for each row, got ${got}.`);
}
