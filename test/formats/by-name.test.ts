import { describe, expect, it } from "vitest";
import { adam, auc, byName, meanSquaredError } from "../../src/index.ts";
import type { Loss } from "../../src/losses/loss.ts";
import type { Metric } from "../../src/metrics/metric.ts";
import { failure } from "../support/building.ts";

const madeBy = (part: unknown) => (part as Loss | Metric).made?.by;

describe("byName", () => {
  it.each([
    ["adam", "adam"],
    ["AdamW", "adamW"],
    ["rmsprop", "rmsprop"],
    ["RMSprop", "rmsprop"],
    ["SGD", "sgd"],
    ["lion", "lion"],
  ])("makes the optimizer of %s", (word, name) => {
    expect(byName({ optimizer: word }).optimizer!.name).toBe(name);
  });

  it.each([
    ["mse", "meanSquaredError"],
    ["categorical_crossentropy", "categoricalCrossentropy"],
    ["BinaryCrossentropy", "binaryCrossentropy"],
    ["kullback_leibler_divergence", "klDivergence"],
    ["huber", "huber"],
  ])("makes the loss of %s", (word, by) => {
    expect(madeBy(byName({ loss: word }).loss)).toBe(by);
  });

  it("makes metrics, losses among them, of one output or of several", () => {
    const { metrics } = byName({ metrics: ["acc", "AUC", "mae", auc({ name: "own" })] });
    expect((metrics as Metric[]).map(madeBy)).toEqual(["accuracy", "auc", "meanAbsoluteError", "auc"]);
    const several = byName({ loss: { a: "mse", b: null }, metrics: { a: ["mape"] } });
    expect(Object.values(several.loss as object).map((loss) => loss && madeBy(loss))).toEqual([
      "meanSquaredError",
      null,
    ]);
    expect((several.metrics as { a: Metric[] }).a.map(madeBy)).toEqual(["meanAbsolutePercentageError"]);
  });

  it("leaves what is no word as it is", () => {
    const given = { loss: meanSquaredError(), optimizer: adam(), seed: 3 };
    expect(byName(given)).toEqual(given);
    expect(byName({})).toEqual({});
  });

  it("says what there is where a word names nothing", () => {
    const { code, message } = failure(() => byName({ optimizer: "ftrl" }));
    expect(code).toBe("value");
    expect(message).toMatch(/byName: optimizer must be one of adadelta, .* got "ftrl"/);
    expect(failure(() => byName({ loss: "constructor" })).message).toContain("byName: loss must be one of");
    expect(failure(() => byName({ metrics: ["meanIoU"] })).message).toContain("meanIoU: numClasses must be");
  });
});
