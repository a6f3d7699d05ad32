import { describe, expect, it } from "vitest";
import { accuracy, falseNegatives, precision, recall, truePositives } from "../../src/index.ts";
import { metricNamed } from "../../src/metrics/metrics.ts";
import { failure } from "../support/building.ts";

describe("metricNamed", () => {
  it("makes the metric of a name", () => {
    expect(metricNamed("accuracy")).toMatchObject({ name: "accuracy", made: accuracy().made });
  });

  it.each(["AUC", "auc", undefined, 3, "", "__proto__", "a".repeat(42)])("says of %o what else there is", (name) => {
    const { code, message } = failure(() => metricNamed(name));
    expect(code).toBe("value");
    expect(message).toMatch(
      /^compile: metrics must be one of "accuracy", got .*\. Others are functions to import, or words for byName\(\)\.$/,
    );
  });
});

describe("a list of thresholds", () => {
  it("has a figure for each in the list's order; a list of one is its number", () => {
    const several = recall({ thresholds: [0.7, 0.2, 0.7] });
    expect(several.figures!([1])).toEqual(["0", "1", "2"]);
    // [high and low parts, numbers of label 0 and the others, above each of three thresholds and all]
    const above = Float32Array.of(3, 1, 1, 5, 4, 2, 2, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    expect(several.result!({ above })).toEqual([0.25, 0.5, 0.25]);
    expect(falseNegatives({ thresholds: [0.7, 0.2, 0.7] }).result!({ above })).toEqual([6, 4, 6]);
    const one = recall({ thresholds: [0.7] });
    expect(one.figures).toBeUndefined();
    expect(one.made).toEqual(recall({ thresholds: 0.7 }).made);
  });

  it.each([
    [[], "have 1 to 256 numbers"],
    [new Array(257).fill(0), "have 1 to 256 numbers"],
    [[0.2, "0.3"], "be a finite number"],
    ["0.5", "be a finite number"],
  ])("is refused: %o", (thresholds, must) => {
    for (const make of [recall, precision, truePositives])
      expect(failure(() => make({ thresholds: thresholds as never }))).toMatchObject({
        code: "value",
        message: expect.stringContaining(`thresholds must ${must}`),
      });
  });
});
