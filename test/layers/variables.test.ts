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

describe("a statistic of whole numbers", () => {
  const words = (initializer: VariableSpec["initializer"]): LayerSpec =>
    defineLayer({
      type: "Own",
      variables: () => [
        { name: "count", shape: [2], initializer, role: "statistic", dtype: "u32" },
        { name: "mean", shape: [3], initializer: "zeros", role: "statistic" },
      ],
      call: ({ input }) => input,
    });
  const networkFor = (initializer: VariableSpec["initializer"]) =>
    modelOf(words(initializer))[INTERNALS].architecture.network!;

  it("is a counter, no weight, and comes behind the weights", () => {
    const network = networkFor("ones");
    const { variables, weights } = network;
    const { initial, ...last } = variables.at(-1)!;
    expect(last).toEqual({ path: "own/count", shape: [2], dtype: "u32", role: "counter", trainable: false });
    expect(variables.slice(0, -1)).toEqual(weights);
    expect(weights.map(({ path }) => path)).toContain("own/mean");
    const text = modelOf(words("ones")).summary({ print: () => {} });
    expect(text).toContain("Non-trainable params: 3 ");
  });

  it("begins with zeros, ones or a function's numbers", () => {
    const first = (initializer: VariableSpec["initializer"]) => networkFor(initializer).variables.at(-1)!.initial!(7);
    expect(first("zeros")).toEqual(Uint32Array.of(0, 0));
    expect(first("ones")).toEqual(Uint32Array.of(1, 1));
    expect(first((_, seed) => Uint32Array.of(seed, 2 ** 32 - 1))).toEqual(Uint32Array.of(7, 2 ** 32 - 1));
    expect(failure(() => first(() => new Float32Array(2))).message).toBe(
      "An initializer must return a Uint32Array of 2 numbers for shape [2], got a Float32Array of length 2.",
    );
  });
});

it.each<[Partial<Record<keyof VariableSpec, unknown>>, string]>([
  [{ trainable: 1 }, 'Own "own": shift: trainable must be true or false, got 1.'],
  [
    { role: "statistic", trainable: true },
    'Own "own": shift: trainable must be false or left out for a statistic, got true. Gradients step parameters.',
  ],
  [{ dtype: "u8" }, 'Own "own": shift: dtype must be one of "f32", "u32", got "u8".'],
  [
    { dtype: "u32" },
    'Own "own": shift: role must be "statistic" with dtype "u32", got "parameter". Gradients step floats.',
  ],
  [
    { dtype: "u32", role: "statistic", initializer: "glorotUniform" },
    'Own "own": shift: initializer must be one of "zeros", "ones", got "glorotUniform".',
  ],
  [{ role: "slot" }, 'Own "own": shift: role must be one of "parameter", "statistic", got "slot".'],
])("variables() is told what is wrong: %o", (variable, message) => {
  const error = failure(() => modelOf(own(variable as Partial<VariableSpec>)));
  expect(error.message).toBe(message);
  expect(error.code).toBe("value");
});
