import bucketsSource from "../../../shaders/metrics/lib/buckets.wgsl";
import labelsSource from "../../../shaders/metrics/lib/labels.wgsl";
import ranksSource from "../../../shaders/metrics/lib/ranks.wgsl";
import source from "../../../shaders/metrics/threshold_rows.wgsl";
import { elements } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";
import { assertThresholdInputs } from "./threshold-counts.ts";

const kernel: Kernel<{ x: "read"; t: "read?"; class_of: "read?"; y: "write" }> = source;

interface Attributes {
  /** Number of thresholds, at least 2. */
  readonly count: number;
  /**
   * Whether x has, in place of each number, how many thresholds are below it. Default false: the thresholds are at equal distances from 0 to 1,
   * the last above all, and numbers are taken within 0 and 1.
   */
  readonly ranked?: boolean;
  /** Whether 0 is above no threshold, not even the first, unless `ranked`. Default false. */
  readonly zerosApart?: boolean | undefined;
  /** Places along the last axis that count by themselves. Default 1: all count together. */
  readonly places?: number;
}

/**
 * Counts the numbers of each row of x [batch, ...] that are above each threshold, by their label: y [batch, places, 2, count + 1], where
 * the last counts all. Labels are rows of x's shape, 0 or not, or class numbers [batch, 1].
 */
export const thresholdRows = defineOp({
  name: "thresholdRows",
  inputs: ["x", "labels"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: ({ x, labels }, { count, places = 1 }, where) => {
    assertThresholdInputs(x, labels, where);
    return { y: { shape: [x.shape[0]!, places, 2, count + 1], dtype: "f32" } };
  },
  lower: ({ inputs: { x, labels }, outputs: { y }, attributes }) => {
    const { count: COUNT, ranked = false, zerosApart = false, places: LABELS = 1 } = attributes;
    const SPARSE = labels.dtype === "u32";
    const [BATCH] = x.shape as [number];
    const even = { ...bucketsSource, given: { BUCKETS: COUNT, ZEROS_APART: zerosApart } };
    return [
      dispatchEach(kernel, elements(y.shape), {
        bind: { x, t: SPARSE ? undefined : labels, class_of: SPARSE ? labels : undefined, y },
        constants: { BATCH, SIZE: elements(x.shape) / BATCH, LABELS, COUNT, SPARSE },
        libraries: [labelsSource, ranked ? ranksSource : even],
      }),
    ];
  },
});
