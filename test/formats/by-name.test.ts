import { describe, expect, it } from "vitest";
import { adam, auc, byName, meanSquaredError } from "../../src/index.ts";
import type { Loss } from "../../src/losses/loss.ts";
import type { Metric } from "../../src/metrics/metric.ts";
import { checkCompileOptions } from "../../src/model/compile-options.ts";
import { failure } from "../support/building.ts";

const mean: Metric = { name: "mean", call: ({ output }) => output };
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

  it("makes metrics by weights of samples, named weighted where the plain ones are there too", () => {
    const { metrics } = byName({ metrics: ["accuracy"], weightedMetrics: ["acc", "AUC", mean] });
    const made = metrics as Metric[];
    expect(made.map(({ name, weighted }) => [name, weighted ?? false])).toEqual([
      ["accuracy", false],
      ["weighted_accuracy", true],
      ["auc", true],
      ["mean", true],
    ]);
    expect((byName({ weightedMetrics: ["mse"] }).metrics as Metric[]).map(madeBy)).toEqual(["weighted"]);
    const several = byName({ metrics: { a: ["mse"] }, weightedMetrics: { a: ["mse"], b: ["mae"] } });
    const namesOf = (list: readonly Metric[]) => list.map(({ name }) => name);
    expect(Object.entries(several.metrics as object).map(([output, list]) => [output, namesOf(list)])).toEqual([
      ["a", ["meanSquaredError", "weighted_meanSquaredError"]],
      ["b", ["meanAbsoluteError"]],
    ]);
  });

  it.each<[string, object, RegExp]>([
    ["no list", { weightedMetrics: "acc" }, /^byName: weightedMetrics must be an object, got "acc"/],
    [
      "a list beside a record",
      { metrics: { a: ["mse"] }, weightedMetrics: ["mse"] },
      /must be by output, as metrics are/,
    ],
    ["a record beside a list", { metrics: ["mse"], weightedMetrics: { a: ["mse"] } }, /must be a list, as metrics are/],
    ["no metric", { weightedMetrics: [3] }, /^weighted: metric must be an object, got 3/],
    ["no metric at all", { weightedMetrics: [null] }, /^weighted: metric must be an object, got null/],
    ["a word for nothing", { weightedMetrics: ["hits"] }, /^byName: metrics must be one of .*, got "hits"/],
    ["endless ones", { weightedMetrics: new Array(1001) }, /must have at most 1000 metrics/],
    [
      "metrics that are none",
      { metrics: "mse", weightedMetrics: ["mse"] },
      /^byName: weightedMetrics must be by output/,
    ],
  ])("refuses weighted metrics that are %s", (_, options, message) => {
    expect(failure(() => byName(options as never))).toMatchObject({
      code: "value",
      message: expect.stringMatching(message),
    });
  });

  it("is what compile names for a word that it does not take", () => {
    const loss = "sparseCategoricalCrossentropy";
    for (const [options, message] of [
      [
        { loss, optimizer: "adam" },
        /^compile: optimizer must come from sgd\(\) and its like, or byName\(\), got "adam"/,
      ],
      [
        { loss: "mse", optimizer: adam() },
        /^compile: loss must be one of .* got "mse"\. Others are functions to import, .* byName\(/,
      ],
      [
        { loss, optimizer: adam(), metrics: ["AUC"] },
        /^compile: metrics must be .* Others are .* or words for byName\(/,
      ],
      [
        { loss, weightedMetrics: ["accuracy"] },
        /^compile: weightedMetrics must be weighted\(metric\) among metrics, got \["accuracy"\]/,
      ],
    ] as const)
      expect(failure(() => checkCompileOptions(options as never, ["y"]))).toMatchObject({
        code: "value",
        message: expect.stringMatching(message),
      });
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
