import { describe, expect, it } from "vitest";
import {
  conv2d,
  defineLayer,
  dense,
  flatten,
  fromConfig,
  input,
  type LayerInput,
  type Model,
  maxPooling2d,
  model,
  ops,
  sequential,
  toConfig,
} from "../../src/index.ts";
import { INTERNALS } from "../../src/model/internals.ts";
import { portKey } from "../../src/program/builder.ts";
import { predictionProgram } from "../../src/program/programs.ts";
import { failure } from "../support/building.ts";

const networkOf = <P>(of: Model<P>) => of[INTERNALS].architecture.network!;

describe("the shape of a symbolic tensor", () => {
  it("is that of one sample, as each layer is called", () => {
    const x = input({ shape: [9, 8, 2] });
    const maps = conv2d({ filters: 3, kernelSize: [3, 2], strides: [2, 1] })(x);
    const pooled = maxPooling2d()(maps);
    const row = flatten()(pooled);
    expect([x, maps, pooled, row, dense({ units: 5 })(row)].map(({ shape }) => shape)).toEqual([
      [9, 8, 2],
      [4, 7, 3],
      [2, 3, 3],
      [18],
      [5],
    ]);
  });

  it("cannot be changed, nor by a change of what was given", () => {
    const shape = [4];
    const x = input({ shape });
    shape[0] = 5;
    expect(x.shape).toEqual([4]);
    expect(Object.isFrozen(x.shape)).toBe(true);
  });

  it("of a layer of an app's own comes from its nodes", () => {
    const pairs = defineLayer({
      type: "Pairs",
      call: ({ input, add, shapeOf }) =>
        add(ops.reshape, { x: input }, { shape: [shapeOf(input)[0]!, shapeOf(input)[1]! / 2, 2] }).y,
    });
    expect(pairs(input({ shape: [6] })).shape).toEqual([3, 2]);
  });
});

describe("a layer that is called on what does not suit it", () => {
  const images = input({ shape: [4, 4, 1], name: "image" });

  it.each<[what: string, call: () => unknown, message: RegExp, code: string]>([
    [
      "what a layer makes",
      () => conv2d({ filters: 1, kernelSize: 3, name: "head" })(flatten()(images)),
      /^Conv2D "head" wants images .* got \[batch, 16\] from "flatten"/,
      "shape",
    ],
    [
      "a row for a convolution",
      () => conv2d({ filters: 1, kernelSize: 3 })(input({ shape: [9] })),
      /^Conv2D "conv2d" wants images .* got \[batch, 9\] from "input"/,
      "shape",
    ],
    ["a small image", () => conv2d({ filters: 1, kernelSize: 5 })(images), /"conv2d".*\[5, 5\]/, "shape"],
    [
      "a layer whose variables are no function",
      () => defineLayer({ type: "Own", variables: [] as never, call: ({ input }) => input })(images),
      /^A layer must come from/,
      "value",
    ],
    [
      "a layer that returns nothing",
      () => defineLayer({ type: "Own", call: () => undefined as never })(images),
      /^Own "own": call\(\) must return a tensor .* got undefined/,
      "value",
    ],
  ])("says so at the call: %s", (_, call, message, code) => {
    const error = failure(call);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });

  it("is numbered in the model's messages, which come later", () => {
    const x = input({ shape: [3], name: "x" });
    const picky = (at: string) =>
      defineLayer({
        type: "Picky",
        variables: ({ name }: LayerInput) => {
          if (name === at) throw new Error(`${name} is not wanted`);
          return [];
        },
        call: ({ input }) => input,
      });
    const [first, second] = [picky("none"), picky("picky_1")];
    expect(() => model({ inputs: x, outputs: second(first(x)) })).toThrow("picky_1 is not wanted");
  });
});

it("a layer may be called on other shapes for other models", () => {
  const shared = dense({ units: 2 });
  const [three, four] = [input({ shape: [3] }), input({ shape: [4] })];
  const models = [three, four].map((x) => model({ inputs: x, outputs: shared(x) }));
  expect(models.map((made) => made.countParams())).toEqual([8, 10]);
  expect(sequential([dense({ units: 5, inputShape: [5] }), shared]).countParams()).toBe(42);
});

describe("an input that is an output", () => {
  const x = input({ shape: [3], name: "x" });
  const spare = input({ shape: [2], name: "spare" });
  const y = dense({ units: 2, activation: "softmax" })(x);

  it("is named by its key, or as the input is, and leads to itself", () => {
    const outputsOf = (outputs: Parameters<typeof model>[0]["outputs"]) =>
      networkOf(model({ inputs: [x, spare], outputs })).outputs;
    expect(outputsOf({ y, seen: x, spare })).toEqual([
      { name: "y", shape: [2], value: 2 },
      { name: "seen", shape: [3], value: 0 },
      { name: "spare", shape: [2], value: 1 },
    ]);
    expect(outputsOf([x, y, spare]).map(({ name }) => name)).toEqual(["x", "dense", "spare"]);
  });

  it("is predicted, and comes back from the config", () => {
    const made = model({ inputs: x, outputs: { x, y, again: y } });
    const network = networkOf(made);
    const program = predictionProgram({ network, capacity: 2, adapter: "software", choices: {} });
    expect([0, 1, 2].map((i) => program.ports.has(portKey("prediction", i)))).toEqual([true, true, true]);
    expect(toConfig(fromConfig(JSON.parse(JSON.stringify(toConfig(made)))))).toEqual(toConfig(made));
  });
});
