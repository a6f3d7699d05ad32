import { describe, expect, it } from "vitest";
import { dense, type Loss, type Metric, type Optimizer, type OptimizerBegin, ops, sgd } from "../../src/index.ts";
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
const beginning = (begin: unknown, variables: unknown = []) =>
  ({ name: "mine", hyperparameters: {}, variables: () => variables, begin, step: () => {} }) as unknown as Optimizer;

const doubled = (gradients: OptimizerBegin["gradients"], add: OptimizerBegin["add"]) => {
  const [g] = gradients.values();
  return add(ops.add, { a: g!, b: g! });
};

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
    [
      "a slot that begins at no number",
      { optimizer: optimizerOf([{ name: "m", shape: [1], initial: "0.1" }]) },
      /^Optimizer "mine": slots\(\): initial of "m" must be a finite number, got "0\.1" \(a string\)\.$/,
    ],
    [
      "a slot that begins at infinity, as 32-bit floats have it",
      { optimizer: optimizerOf([{ name: "m", shape: [1], initial: 1e39 }]) },
      /slots\(\): initial of "m" must be a finite number, as a 32-bit float, got 1e\+39\.$/,
    ],
    [
      "variables that are no list",
      { optimizer: beginning(() => ({}), {}) },
      /^Optimizer "mine": variables\(\) must be an array, got an object with keys \(none\)\.$/,
    ],
    [
      "a variable without a shape",
      { optimizer: beginning(() => ({}), [{ name: "m", shape: [0] }]) },
      /variables\(\) must give a list of \{ name, shape \}/,
    ],
    [
      "a variable that begins at NaN",
      { optimizer: beginning(() => ({}), [{ name: "m", shape: [1], initial: Number.NaN }]) },
      /^Optimizer "mine": variables\(\): initial of "m" must be a finite number, got NaN\.$/,
    ],
    [
      "a begin of nothing",
      { optimizer: beginning(() => undefined) },
      /^Optimizer "mine": begin\(\) must be an object, got undefined\.$/,
    ],
    [
      "a begin of a list",
      { optimizer: beginning(({ state }: OptimizerBegin) => [state]) },
      /begin\(\) must be an object, got \[0\]/,
    ],
    [
      "a begin that takes its time",
      { optimizer: beginning(async () => ({})) },
      /begin\(\) must be an object, got a promise/,
    ],
    [
      "a begin of outputs by name",
      { optimizer: beginning(({ gradients, add }: OptimizerBegin) => ({ sum: doubled(gradients, add) })) },
      /begin\(\) must return a tensor for "sum" \(add\(\) gives outputs by name\), got an object with keys c\.$/,
    ],
    [
      "a begin of a number that is no tensor",
      { optimizer: beginning(() => ({ rate: 0.5 })) },
      /begin\(\) must return a tensor for "rate" .*, got 0\.5\.$/,
    ],
    [
      "a begin that asks for a rate there is not",
      { optimizer: beginning(({ hyperparameter }: OptimizerBegin) => ({ rate: hyperparameter("rate") })) },
      /^Optimizer "mine": hyperparameter must be one of , got "rate"\.$/,
    ],
  ])("is refused in words: %s", (_, parts, message) => {
    const error = failure(() => train(parts));
    expect(error.code).toBe("value");
    expect(error.message).toMatch(message);
  });
});
