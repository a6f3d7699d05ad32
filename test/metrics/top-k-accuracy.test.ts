import { describe, expect, it } from "vitest";
import { type LabelKind, sparseTopKCategoricalAccuracy, topKCategoricalAccuracy } from "../../src/index.ts";
import { failure } from "../support/building.ts";

const rows = (...shape: number[]): LabelKind => ({ shape, dtype: "f32", largestClass: undefined });
const classes: LabelKind = { shape: [1], dtype: "u32", largestClass: 2 };

describe("top-k accuracies", () => {
  it.each([topKCategoricalAccuracy, sparseTopKCategoricalAccuracy])("are among the first 5 by default: %o", (make) => {
    expect(make()).toMatchObject({ name: make.name, made: { by: make.name, config: { k: 5, name: make.name } } });
    const metric = make({ k: 2, name: "top2" });
    const again = make(JSON.parse(JSON.stringify(metric.made!.config)));
    expect(again).toMatchObject({ name: "top2", made: metric.made });
  });

  it.each<[string, () => unknown, RegExp]>([
    ["no classes", () => topKCategoricalAccuracy({ k: 0 }), /^topKCategoricalAccuracy: k must be a whole number/],
    ["a number", () => sparseTopKCategoricalAccuracy(3 as never), /^sparseTopKCategoricalAccuracy must be given an/],
    ["no name", () => topKCategoricalAccuracy({ name: "" }), /^topKCategoricalAccuracy: name must be a word/],
    ["a misspelt option", () => topKCategoricalAccuracy({ K: 3 } as never), /has no option "K"/],
  ])("refuse %s", (_, make, message) => {
    expect(failure(make)).toMatchObject({ code: "value", message: expect.stringMatching(message) });
  });

  it("take rows or class numbers, by their names", () => {
    const [byRows, byClass] = [topKCategoricalAccuracy(), sparseTopKCategoricalAccuracy()];
    expect(() => byRows.check!(rows(3), [3])).not.toThrow();
    expect(() => byClass.check!(classes, [3])).not.toThrow();
    expect(failure(() => byRows.check!(classes, [3])).message).toBe(
      'metric "topKCategoricalAccuracy" wants y of rows, [samples, classes], got class numbers. ' +
        "Use sparseTopKCategoricalAccuracy().",
    );
    expect(failure(() => byClass.check!(rows(3), [3])).message).toBe(
      'metric "sparseTopKCategoricalAccuracy" wants y of class numbers, got rows. Use topKCategoricalAccuracy().',
    );
    expect(failure(() => byRows.check!(rows(2, 3), [2, 3])).code).toBe("shape");
  });
});
