import { describe, expect, expectTypeOf, it } from "vitest";
import {
  defineLayer,
  dense,
  flatten,
  fromConfig,
  input,
  type Layer,
  type LayerSpec,
  type Model,
  model,
  ops,
  type SymbolicTensor,
  sequential,
  sgd,
  toConfig,
} from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import type { Network } from "../../src/network/network.ts";
import { outputsProgram, trainingProgram } from "../../src/program/programs.ts";
import { failure } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

/** Two dense products of one input, of 3 and 2 numbers. */
const pair = (config: { name?: string } = {}) =>
  defineLayer({
    type: "Pair",
    name: config.name,
    config: {},
    variables: ({ input }) => [
      { name: "left", shape: [input[0]!, 3], initializer: "glorotUniform" },
      { name: "right", shape: [input[0]!, 2], initializer: "glorotUniform" },
    ],
    call: ({ input: x, variables: { left, right }, add }) => [
      add(ops.dense, { x, kernel: left! }).y,
      add(ops.dense, { x, kernel: right! }).y,
    ],
  });
const softmax = (units = 2) => dense({ units, activation: "softmax" });
const networkOf = <P>(of: Model<P>) => of[INTERNALS].architecture.network!;
const optionsOf = (network: Network) =>
  ({ network, capacity: 2, inputs: inputsOf(network), adapter: "software", choices: {} }) as const;

describe("a layer of several outputs", () => {
  const x = input({ shape: [4], name: "x" });

  it("gives a list of symbolic tensors, each with its shape", () => {
    const made = pair()(x);
    const [left, right] = made;
    expect(made).toHaveLength(2);
    expect([left.shape, right.shape]).toEqual([[3], [2]]);
    expectTypeOf(made).toEqualTypeOf<readonly [SymbolicTensor, SymbolicTensor]>();
    expectTypeOf(dense({ units: 2 })(x)).toEqualTypeOf<SymbolicTensor>();
    const one = defineLayer({ type: "One", call: ({ input }) => input });
    expectTypeOf(one).toExtend<Layer>();
    expectTypeOf(one).toExtend<LayerSpec>();
    expectTypeOf(pair()).not.toExtend<LayerSpec>();
  });

  it("is one use with a value for each output", () => {
    const [left, right] = pair()(x);
    const made = model({ inputs: x, outputs: { b: softmax()(right), a: softmax()(left) } });
    const network = networkOf(made);
    expect(network.uses.map(({ node, inputs, outputs }) => [node, inputs, outputs])).toEqual([
      [
        "pair",
        [0],
        [
          { name: "pair", value: 1, shape: [3] },
          { name: "pair:1", value: 2, shape: [2] },
        ],
      ],
      ["dense", [2], [{ name: "dense", value: 3, shape: [2] }]],
      ["dense_1", [1], [{ name: "dense_1", value: 4, shape: [2] }]],
    ]);
    expect(network.layers[0]).toMatchObject({ name: "pair", outputShapes: [[3], [2]] });
    expect(made.layers[0]).toMatchObject({ outputShape: [3], outputShapes: [[3], [2]] });
    const training = { ...optionsOf(network), measures: measuresOf(network), optimizer: sgd() };
    expect([...trainingProgram(training).gradients.keys()].slice(0, 2)).toEqual(["pair/left", "pair/right"]);
    expect(made.summary({ print: () => {} })).toContain(
      "│ pair (Pair)                     │ [(None, 3), (None, 2)] │            20 │",
    );
  });

  it("may be shared, and have an output that is not used, or is the model's", () => {
    const shared = pair({ name: "twin" });
    const [left, right] = shared(x);
    const [, again] = shared(dense({ units: 4 })(left));
    const made = model({ inputs: x, outputs: [right, again] });
    const network = networkOf(made);
    expect(network.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["twin", [2]],
      ["twin_1", [2]],
    ]);
    const names = network.uses.flatMap(({ outputs }) => outputs.map(({ name }) => name));
    expect(names).toEqual(["twin", "twin:1", "dense", "twin/use_2", "twin/use_2:1"]);
    const { layerOutputs } = outputsProgram(optionsOf(network), ["twin:1", "twin/use_2"]);
    expect([...layerOutputs.keys()]).toEqual(names);
    expect(networkOf(model({ inputs: x, outputs: right })).outputs).toEqual([{ name: "twin", shape: [2], value: 2 }]);
  });

  it("may list one output, or an input that it passes on", () => {
    const one = defineLayer({ type: "One", call: ({ input }) => [input] });
    const [same] = one(x);
    expect(networkOf(model({ inputs: x, outputs: softmax()(same) })).uses[0]!.outputs).toEqual([
      { name: "one", value: 1, shape: [4] },
    ]);
    const row = sequential([dense({ units: 4, inputShape: [4] }), one as unknown as LayerSpec]);
    expect(row.layers.map(({ name }) => name)).toEqual(["dense", "one"]);
  });

  it("comes back from its config, in which values are numbered", () => {
    const [left, right] = pair()(x);
    const made = model({ inputs: x, outputs: { a: softmax()(left), b: softmax(3)(right), left } });
    const config = toConfig(made);
    expect(config).toMatchObject({
      version: 1,
      uses: [
        { layer: "pair", inputs: [0] },
        { layer: "dense", inputs: [1] },
        { layer: "dense_1", inputs: [2] },
      ],
      outputs: [
        { name: "a", value: 3 },
        { name: "b", value: 4 },
        { name: "left", value: 1 },
      ],
    });
    const back = fromConfig(JSON.parse(JSON.stringify(config)), { layers: { Pair: pair } });
    expect(toConfig(back)).toEqual(config);
    expect(networkOf(back).uses.map(({ outputs }) => outputs)).toEqual(
      networkOf(made).uses.map(({ outputs }) => outputs),
    );
  });

  it("does not go into a row of layers, which stays as it was", () => {
    const row = sequential([dense({ units: 4, inputShape: [4] })]);
    const { code, message } = failure(() => row.add(pair() as never));
    expect(code).toBe("value");
    expect(message).toBe(
      'Pair "pair" has 2 outputs, and the next layer in a row takes one. Call it on symbolic tensors: model({ inputs, outputs }).',
    );
    row.add(flatten());
    expect(row.layers.map(({ name }) => name)).toEqual(["dense", "flatten"]);
  });
});

describe("what a layer returns is refused", () => {
  const x = input({ shape: [4] });
  const calls = (call: LayerSpec["call"]) => () => defineLayer({ type: "Own", call })(x);
  let times = 0;

  it.each<[what: string, call: () => unknown, message: RegExp, code?: string]>([
    [
      "an empty list",
      calls(() => [] as never),
      /^Own "own": call\(\) must return a tensor, or a list of at least one, got \[\]/,
    ],
    ["a hole in a list", calls(() => new Array(2) as never), /call\(\) must return a tensor .* got undefined/],
    ["a list in a list", calls(({ input }) => [[input]] as never), /call\(\) must return a tensor .* got \[1\]/],
    [
      "all outputs by name",
      calls(({ input: a, add }) => add(ops.add, { a, b: a }) as never),
      /add\(\) gives outputs by/,
    ],
    [
      "no row a sample",
      calls(({ input: x, add }) => add(ops.reshape, { x }, { shape: [2, 2] }).y),
      /^Own "own": call\(\) must return a row a sample, \[batch, \.\.\.\], of 32-bit floats, got \[2, 2\] for a batch of 1/,
      "shape",
    ],
    [
      "others in the model than at the call",
      () => {
        const call: LayerSpec["call"] = ({ input: x, add }) =>
          add(ops.reshape, { x }, { shape: times++ === 0 ? [1, 4] : [1, 2, 2] }).y;
        return model({ inputs: x, outputs: defineLayer({ type: "Own", call })(x) });
      },
      /^Own "own": call\(\) must give the same outputs each time, got \[4\] a sample at first, then \[2, 2\]\.$/,
      "shape",
    ],
    [
      "an output whose name another layer has",
      () => {
        const [, right] = pair()(x);
        return model({ inputs: x, outputs: dense({ units: 2, name: "pair:1" })(right) });
      },
      /^The model has a layer's output "pair:1" already\. Rename a layer\.$/,
    ],
  ])("%s", (_, call, message, code = "value") => {
    const error = failure(call);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });
});
