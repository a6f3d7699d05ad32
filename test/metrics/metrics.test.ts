import { describe, expect, it } from "vitest";
import { accuracy } from "../../src/index.ts";
import { metricNamed } from "../../src/metrics/metrics.ts";
import { failure } from "../support/building.ts";

describe("metricNamed", () => {
  it("makes the metric of a name", () => {
    expect(metricNamed("accuracy")).toMatchObject({ name: "accuracy", made: accuracy().made });
  });

  it.each([
    ["auc", "auc"],
    ["AUC", "auc"],
    ["Accuracy", "accuracy"],
    ["TopKCategoricalAccuracy", "topKCategoricalAccuracy"],
  ])("says of %o that other metrics are functions, and which one it may be", (name, call) => {
    expect(failure(() => metricNamed(name))).toMatchObject({
      code: "value",
      message:
        `compile: metrics must be one of "accuracy", got "${name}". ` +
        `Other metrics are functions to import: ${call}(), if there is one.`,
    });
  });

  it.each([undefined, 3, "", "top k", "1", "__proto__", "a".repeat(42)])("says of %o no more than that", (name) => {
    const { code, message } = failure(() => metricNamed(name));
    expect(code).toBe("value");
    expect(message).toMatch(
      /^compile: metrics must be one of "accuracy", got .*\. Other metrics are functions to import\.$/,
    );
  });
});
