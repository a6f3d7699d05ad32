import { describe, expect, it } from "vitest";
import { type CompileOptions, type Loss, type Metric, sgd } from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import { checkCompileOptions } from "../../src/model/compile-options.ts";
import { failure } from "../support/building.ts";

const sparse = "sparseCategoricalCrossentropy";
const rows = "categoricalCrossentropy";
const names = ["digit", "parity"];
const check = (options: CompileOptions, outputs = names) =>
  checkCompileOptions({ optimizer: sgd(), ...options }, outputs);
/** Name of the loss, weight and metrics of each output. */
const outputsOf = (options: CompileOptions, outputs = names) =>
  check(options, outputs).training!.outputs.map(({ name, loss, weight, metrics }) => [
    name,
    loss.name,
    weight,
    metrics.map((metric) => metric.name),
  ]);

describe("compile's options by output", () => {
  it("are each output's own", () => {
    const loss = { parity: rows, digit: sparse } as const;
    expect(outputsOf({ loss, lossWeights: { parity: 0.5 }, metrics: { digit: ["accuracy"] } })).toEqual([
      ["digit", sparse, 1, ["accuracy"]],
      ["parity", rows, 0.5, []],
    ]);
  });

  it("that are not by output are all outputs'", () => {
    expect(outputsOf({ loss: sparse, metrics: ["accuracy"] })).toEqual([
      ["digit", sparse, 1, ["accuracy"]],
      ["parity", sparse, 1, ["accuracy"]],
    ]);
    const own: Loss = { ...lossNamed(rows), name: "own" };
    expect(outputsOf({ loss: own }).map(([, name]) => name)).toEqual(["own", "own"]);
    expect(outputsOf({ loss: { digit: own, parity: sparse } }).map(([, name]) => name)).toEqual(["own", sparse]);
  });

  it("are by name where an output is named call, as a loss's method is", () => {
    const loss = { call: sparse, other: rows } as const;
    expect(outputsOf({ loss }, ["call", "other"]).map(([, name]) => name)).toEqual([sparse, rows]);
  });

  it("may be by name where there is one output, too", () => {
    expect(outputsOf({ loss: { dense: sparse }, metrics: { dense: ["accuracy"] } }, ["dense"])).toEqual([
      ["dense", sparse, 1, ["accuracy"]],
    ]);
  });

  it("may give an output no loss: then it has no labels, and no metrics", () => {
    expect(outputsOf({ loss: { digit: null, parity: sparse }, metrics: ["accuracy"] })).toEqual([
      ["parity", sparse, 1, ["accuracy"]],
    ]);
    expect(check({ loss: { digit: null, parity: sparse } }).training!.outputs[0]!.index).toBe(1);
  });

  it("may name no loss: the model then predicts, whatever else is given, as in Keras", () => {
    for (const options of [{}, { metrics: ["accuracy"] as const }, { lossWeights: { digit: 2 } }]) {
      expect(checkCompileOptions({ optimizer: sgd(), ...options }, names).training).toBeUndefined();
      expect(checkCompileOptions(options, names).training).toBeUndefined();
    }
    expect(failure(() => checkCompileOptions({ optimizer: {} as never }, names)).message).toMatch(
      /^compile: optimizer must come from sgd\(\) and its like/,
    );
  });

  const loss = { digit: sparse, parity: sparse } as const;
  const metric: Metric = { name: "mine", call: ({ output }) => output };
  it.each<[string, object, RegExp]>([
    [
      "an output that is none",
      { loss: { ...loss, other: sparse } },
      /^compile: loss has no option "other"\. It takes: digit, p/,
    ],
    [
      "a loss that lacks",
      { loss: { digit: sparse } },
      /compile: loss\.parity must be a loss, or null for an output without one, got undefined/,
    ],
    [
      "no loss at all",
      { loss: { digit: null, parity: null } },
      /compile: loss must name a loss for at least one output/,
    ],
    [
      "metrics without a loss",
      { loss: { ...loss, parity: null }, metrics: { parity: ["accuracy"] } },
      /compile: metrics\.parity must be left out: output "parity" has no loss, and so no labels, got \["accuracy"\]/,
    ],
    [
      "a weight without a loss",
      { loss: { ...loss, parity: null }, lossWeights: { parity: 2 } },
      /compile: lossWeights\.parity must be left out: output "parity" has no loss/,
    ],
    ["an unknown loss", { loss: { ...loss, parity: "mse" } }, /compile: loss\.parity must be one of .*got "mse"/],
    ["losses in a list", { loss: [sparse, sparse] }, /compile: loss must be an object, got \["sparse/],
    ["one weight for all", { loss, lossWeights: 2 }, /compile: lossWeights must be an object, got 2/],
    ["a weight that is none", { loss, lossWeights: { parity: "1" } }, /compile: lossWeights\.parity must be a finite/],
    ["a weight of NaN", { loss, lossWeights: { parity: Number.NaN } }, /lossWeights\.parity must be a finite number/],
    ["a weight of nothing", { loss, lossWeights: { other: 1 } }, /compile: lossWeights has no option "other"/],
    ["metrics of nothing", { loss, metrics: { other: [] } }, /compile: metrics has no option "other"/],
    [
      "one metric",
      { loss, metrics: { digit: "accuracy" } },
      /compile: metrics\.digit must be an array, got "accuracy"/,
    ],
    [
      "an unknown metric",
      { loss, metrics: { digit: ["f1"] } },
      /compile: metrics\.digit must be one of "accuracy", got "f1"/,
    ],
    ["no metrics at all", { loss, metrics: null }, /compile: metrics must be an array, got null/],
    [
      "a metric twice",
      { loss, metrics: ["accuracy", "accuracy"] },
      /compile: metrics must have names that differ, got "acc/,
    ],
    ["a metric named as the loss", { loss, metrics: [{ ...metric, name: "loss" }] }, /names that differ, got "loss"/],
    [
      "a metric without name",
      { loss, metrics: [{ ...metric, name: "" }] },
      /compile: metrics: name must be a word, got ""/,
    ],
    ["a metric without call", { loss, metrics: [{ name: "mine" }] }, /compile: metrics: call must be a function/],
    [
      "accumulators without result",
      { loss, metrics: [{ ...metric, accumulators: () => [] }] },
      /metrics: result must be a fu/,
    ],
  ])("are refused in words: %s", (_, options, message) => {
    const error = failure(() => check(options as CompileOptions));
    expect(error.message).toMatch(message);
    expect(error.code).toBe("value");
  });
});
