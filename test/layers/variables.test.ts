import { describe, expect, it } from "vitest";
import { defineLayer, dense, type LayerSpec, ops, sequential, sgd, type VariableSpec } from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { failure } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

/** y = x kernel, with one more variable. */
const own = (variable: Partial<VariableSpec>): LayerSpec =>
  defineLayer({
    type: "Own",
    variables: ({ input }) => [
      { name: "kernel", shape: [input[0]!, 3], initializer: "glorotUniform" },
      { name: "shift", shape: [3], initializer: "ones", ...variable },
    ],
    call: ({ input: x, variables: { kernel, shift }, add }) => add(ops.dense, { x, kernel: kernel!, bias: shift! }).y,
  });
const modelOf = (layer: LayerSpec) =>
  sequential([dense({ units: 4, inputShape: [2] }), layer, dense({ units: 2, activation: "softmax" })]);

describe("a parameter that is not trainable", () => {
  const made = modelOf(own({ trainable: false }));
  const network = made[INTERNALS].architecture.network!;

  it("has no gradient, beside others of its layer that have one", () => {
    const options = { network, capacity: 4, inputs: inputsOf(network), adapter: "software", choices: {} } as const;
    const optimizer = sgd({ momentum: 0.9 });
    const { gradients, variables } = trainingProgram({ ...options, measures: measuresOf(network), optimizer });
    expect([...gradients.keys()]).toEqual([
      "dense/kernel",
      "dense/bias",
      "own/kernel",
      "dense_1/kernel",
      "dense_1/bias",
    ]);
    expect(variables.has("own/kernel/momentum")).toBe(true);
    expect(variables.has("own/shift/momentum")).toBe(false);
  });

  it("is a weight, counted as not trainable", () => {
    expect(network.parameters.map(({ path }) => path)).toContain("own/shift");
    const text = made.summary({ print: () => {} });
    expect(text).toContain("Non-trainable params: 3 ");
    expect(made.countParams()).toBe(12 + 15 + 8);
  });

  it("is not trained by a layer that is trainable, and one that is is not by a frozen layer", () => {
    const trainable = (layer: LayerSpec) =>
      modelOf(layer)[INTERNALS].architecture.network!.variables.flatMap(({ path, trainable }) =>
        path.startsWith("own/") ? [trainable] : [],
      );
    expect(trainable(own({}))).toEqual([true, true]);
    expect(trainable(own({ trainable: false }))).toEqual([true, false]);
    expect(trainable({ ...own({ trainable: true }), trainable: false })).toEqual([false, false]);
    expect(trainable(own({ role: "statistic", trainable: false }))).toEqual([true, false]);
  });
});

it.each<[Partial<Record<keyof VariableSpec, unknown>>, string]>([
  [{ trainable: 1 }, 'Own "own": shift: trainable must be true or false, got 1.'],
  [
    { role: "statistic", trainable: true },
    'Own "own": shift: trainable must be false or left out for a statistic, got true. Gradients step parameters.',
  ],
  [{ role: "slot" }, 'Own "own": shift: role must be one of "parameter", "statistic", got "slot".'],
])("variables() is told what is wrong: %o", (variable, message) => {
  const error = failure(() => modelOf(own(variable as Partial<VariableSpec>)));
  expect(error.message).toBe(message);
  expect(error.code).toBe("value");
});
