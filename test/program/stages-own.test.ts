import { describe, expect, it } from "vitest";
import { dense, type Loss, type Metric, type Optimizer, sgd } from "../../src/index.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { failure, networkOf } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

/** What an app's own loss, metric or optimizer may answer, and what it is told of it. */

function train({ loss, metric, optimizer = sgd() }: { loss?: Loss; metric?: Metric; optimizer?: Optimizer }) {
  const network = networkOf([dense({ units: 3, activation: "softmax", inputShape: [4] })]);
  const measures = measuresOf(network, loss ?? "categoricalCrossentropy", metric ? [metric] : []);
  trainingProgram({
    network,
    capacity: 2,
    columns: inputsOf(network),
    measures,
    optimizer,
    adapter: "software",
    choices: {},
  });
}

const lossOf = (labels: unknown) =>
  ({ name: "mine", labels: () => labels, check: () => {}, call: () => 0 }) as unknown as Loss;
const metricOf = (accumulators: unknown) =>
  ({ name: "mine", accumulators: () => accumulators, call: () => undefined, result: () => 0 }) as unknown as Metric;
const optimizerOf = (slots: unknown) =>
  ({ name: "mine", hyperparameters: {}, slots: () => slots, step: () => {} }) as unknown as Optimizer;

describe("what an app's own part answers", () => {
  it.each<[string, Parameters<typeof train>[0], RegExp]>([
    ["no labels", { loss: lossOf(undefined) }, /^Loss "mine": labels\(\) must give \{ shape, dtype.*got undefined/],
    ["labels of no type", { loss: lossOf({ shape: [3] }) }, /^Loss "mine": labels\(\) must give/],
    ["labels without a shape", { loss: lossOf({ dtype: "f32" }) }, /^Loss "mine": labels\(\) must give/],
    ["accumulators that are no list", { metric: metricOf(5) }, /^Metric "mine": accumulators\(\) must be an array/],
    ["an accumulator without a shape", { metric: metricOf([{ name: "a" }]) }, /accumulators\(\) must give a list of/],
    ["an accumulator of bytes", { metric: metricOf([{ name: "a", shape: [1], dtype: "u8" }]) }, /dtype must be one of/],
    ["slots that are no list", { optimizer: optimizerOf(5) }, /^Optimizer "mine": slots\(\) must be an array, got 5/],
    [
      "a slot without a shape",
      { optimizer: optimizerOf([{ name: "m" }]) },
      /slots\(\) must give a list of \{ name, sh/,
    ],
    [
      "two slots of one name",
      {
        optimizer: optimizerOf([
          { name: "m", shape: [1] },
          { name: "m", shape: [1] },
        ]),
      },
      /slots\(\) must give names that differ, got "m"/,
    ],
  ])("is refused in words: %s", (_, parts, message) => {
    const error = failure(() => train(parts));
    expect(error.code).toBe("value");
    expect(error.message).toMatch(message);
  });
});
