import { describe, expect, it } from "vitest";
import { auc, type LabelKind } from "../../src/index.ts";
import { failure } from "../support/building.ts";

const rows = (...shape: number[]): LabelKind => ({ shape, dtype: "f32", largestClass: undefined });
const classes: LabelKind = { shape: [1], dtype: "u32", largestClass: 2 };

describe("auc", () => {
  it.each<[string, () => unknown, RegExp]>([
    ["a threshold alone", () => auc({ numThresholds: 1 }), /^auc: numThresholds must be at least 2, got 1\.$/],
    ["half a threshold", () => auc({ numThresholds: 2.5 }), /numThresholds must be a whole number/],
    ["another curve", () => auc({ curve: "PRGAIN" as never }), /auc: curve must be one of "ROC", "PR"/],
    ["another sum", () => auc({ summationMethod: "left" as never }), /auc: summationMethod must be one of/],
    ["Keras's spelling", () => auc({ num_thresholds: 3 } as never), /auc has no option "num_thresholds"/],
    ["no thresholds", () => auc({ thresholds: [] }), /^auc: thresholds must have 1 to 256 numbers, got/],
    [
      "a threshold of NaN",
      () => auc({ thresholds: [0.5, Number.NaN] }),
      /^auc: thresholds must be a finite number, got NaN/,
    ],
    [
      "two kinds of thresholds",
      () => auc({ thresholds: [0.5], numThresholds: 3 }),
      /numThresholds must be left out beside thresholds/,
    ],
    ["no name", () => auc({ name: "" }), /auc: name must be a word/],
  ])("refuses %s", (_, make, message) => {
    expect(failure(make)).toMatchObject({ code: "value", message: expect.stringMatching(message) });
  });

  it("is made again by what it was made with", () => {
    const metric = auc({ curve: "PR", numThresholds: 7, name: "area" });
    const again = auc(JSON.parse(JSON.stringify(metric.made!.config)));
    expect(again).toMatchObject({ name: "area", made: metric.made });
    expect(again.accumulators!([3])).toEqual([{ name: "counts", shape: [2, 7], dtype: "u32" }]);
  });

  it("keeps a list of thresholds, in their order, and counts in sums", () => {
    const given = [0.7, 0.2];
    const metric = auc({ thresholds: given });
    expect(metric.made!.config).toMatchObject({ thresholds: [0.2, 0.7] });
    expect(given).toEqual([0.7, 0.2]);
    expect(metric.accumulators!([3])).toEqual([{ name: "sums", shape: [2, 10] }]);
    // These are at equal distances, with 0 and 1: the same buckets as those of a number.
    expect(auc({ thresholds: [0.75, 0.5, 0.25] }).accumulators!([3])).toEqual(
      auc({ numThresholds: 5 }).accumulators!([3]),
    );
  });

  it("takes a label for each output, or a class for each row", () => {
    const { check } = auc();
    for (const [labels, output] of [
      [rows(3), [3]],
      [rows(1), [1]],
      [rows(2, 3), [2, 3]],
      [classes, [3]],
      [classes, [1]],
    ] as const)
      expect(() => check!(labels, output)).not.toThrow();
    expect(failure(() => check!(rows(2), [3]))).toMatchObject({ code: "shape" });
    expect(failure(() => check!(classes, [2, 3]))).toMatchObject({ code: "shape" });
  });
});
