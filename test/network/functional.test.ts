import { describe, expect, it } from "vitest";
import { addTensor, emptyGraph, tensorOf } from "../../src/graph/graph.ts";
import {
  defineLayer,
  dense,
  flatten,
  fromConfig,
  input,
  type Layer,
  type LayerCall,
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
import { portKey } from "../../src/program/builder.ts";
import { predictionProgram, trainingProgram } from "../../src/program/programs.ts";
import { variablesOf } from "../../src/program/variables.ts";
import { failure } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";

const sum = (name?: string): Layer =>
  defineLayer({ type: "Sum", name, call: ({ inputs, add }) => add(ops.add, { a: inputs[0]!, b: inputs[1]! }).c });
const softmax = (units: number, name?: string) =>
  dense({ units, activation: "softmax", ...(name !== undefined && { name }) });

const networkOf = <P>(of: Model<P>): Network => of[INTERNALS].architecture.network!;
const usesOf = <P>(of: Model<P>) =>
  networkOf(of).uses.map(({ node, inputs, outputs }) => [node, [...inputs], ...outputs.map(({ value }) => value)]);

/** Trained by class numbers' weights, whatever the number of outputs. */
function training(network: Network) {
  return trainingProgram({
    network,
    capacity: 2,
    columns: inputsOf(network),
    adapter: "software",
    choices: {},
    measures: measuresOf(network),
    optimizer: sgd({ momentum: 0.9 }),
  });
}

describe("names of inputs and outputs", () => {
  it.each(["data", "shape", "buffer"])("cannot be %s, by which columns could not be told from data", (name) => {
    const x = input({ shape: [3] });
    for (const make of [
      () => model({ inputs: input({ shape: [3], name }), outputs: softmax(2)(x) }),
      () => model({ inputs: { [name]: x }, outputs: softmax(2)(x) }),
      () => model({ inputs: x, outputs: { [name]: softmax(2)(x) } }),
      () => model({ inputs: x, outputs: softmax(2, name)(x) }),
    ]) {
      const { code, message } = failure(make);
      expect(code).toBe("value");
      expect(message).toMatch(new RegExp(`^model: an (in|out)put cannot be named "${name}"`));
    }
  });
});

describe("a functional model", () => {
  it("of a row of layers is the sequential one", () => {
    const x = input({ shape: [2, 3] });
    const made = model({ inputs: x, outputs: softmax(4)(flatten()(x)) });
    const row = sequential([flatten({ inputShape: [2, 3] }), softmax(4)]);
    const parts = ({ inputs, outputs, variables }: Network) => ({
      inputs,
      outputs,
      variables: variables.map(({ path, shape }) => [path, shape]),
    });
    expect(parts(networkOf(made))).toEqual(parts(networkOf(row)));
    expect(made.layers).toEqual(row.layers);
    expect(made.outputShape).toEqual([4]);
    expect(made.countParams()).toBe(28);
    expect(made.name).toBe("model");
    const planOf = (network: Network) =>
      String(
        predictionProgram({ network, capacity: 4, columns: inputsOf(network), adapter: "software", choices: {} }).plan,
      );
    expect(planOf(networkOf(made))).toBe(planOf(networkOf(row)));
  });

  it("branches and joins; layers are named in the order in which values are made", () => {
    const x = input({ shape: [6] });
    const trunk = dense({ units: 3, activation: "relu" })(x);
    const [left, right] = [dense({ units: 3 })(trunk), dense({ units: 3 })(trunk)];
    const made = model({ inputs: x, outputs: softmax(2, "head")(sum()([left, right])) });
    expect(usesOf(made)).toEqual([
      ["dense", [0], 1],
      ["dense_1", [1], 2],
      ["dense_2", [1], 3],
      ["sum", [2, 3], 4],
      ["head", [4], 5],
    ]);
    const network = networkOf(made);
    expect(network.sourcesOf(network.layers[3]!)).toEqual(["dense_1", "dense_2"]);
    expect([...training(network).gradients.keys()]).toEqual(network.parameters.map(({ path }) => path));
  });

  it("shares a layer that is called twice: one set of variables, a node for each use", () => {
    const [a, b] = [input({ shape: [4], name: "a" }), input({ shape: [4], name: "b" })];
    const twin = dense({ units: 3, name: "twin" });
    const made = model({ inputs: [a, b], outputs: softmax(2)(sum()([twin(a), twin(b)])) });
    expect(usesOf(made).map(([node]) => node)).toEqual(["twin", "twin/use_2", "sum", "dense"]);
    const network = networkOf(made);
    expect(network.layers.map(({ name }) => name)).toEqual(["twin", "sum", "dense"]);
    expect(network.variables.map(({ path }) => path)).toEqual([
      "twin/kernel",
      "twin/bias",
      "dense/kernel",
      "dense/bias",
    ]);
    const graph = emptyGraph();
    const inputs = ["a", "b"].map((name) => addTensor(graph, name, "scratch", { shape: [5, 4], dtype: "f32" }));
    const variables = new Map(network.variables.map((each) => [each.path, addTensor(graph, each.path, "state", each)]));
    const values = network.call(graph, { inputs, variables });
    const [first, second] = ["twin", "twin/use_2"].map((name) => graph.nodes.find((node) => node.name === name)!);
    expect(first!.inputs).toEqual({
      x: inputs[0],
      kernel: variables.get("twin/kernel"),
      bias: variables.get("twin/bias"),
    });
    expect(second!.inputs).toEqual({ ...first!.inputs, x: inputs[1] });
    expect(tensorOf(graph, values.at(-1)!).shape).toEqual([5, 2]);
    // Its gradient is the sum of both uses'.
    const program = training(network);
    expect([...program.gradients.keys()]).toEqual(network.parameters.map(({ path }) => path));
    expect(program.variables.get("twin/kernel/momentum")).toBeDefined();
  });

  it("has ports for each input, each output and its labels", () => {
    const [image, place] = [input({ shape: [4] }), input({ shape: [2] })];
    const seen = sum()([dense({ units: 3 })(image), dense({ units: 3 })(place)]);
    const made = model({ inputs: { image, place }, outputs: { digit: softmax(3)(seen), parity: softmax(2)(seen) } });
    const network = networkOf(made);
    expect(network.inputs).toEqual([
      { name: "image", shape: [4] },
      { name: "place", shape: [2] },
    ]);
    expect(network.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ["digit", [3]],
      ["parity", [2]],
    ]);
    const program = training(network);
    const ports = [
      portKey("input", 0),
      portKey("input", 1),
      portKey("label", 0),
      portKey("label", 1),
      portKey("order"),
    ];
    expect([...program.ports.keys()].sort()).toEqual(ports.sort());
    const tensors = [...program.ports.values()];
    expect(new Set(tensors).size).toBe(tensors.length);
  });

  it("names inputs by their keys, or else as they were named, or as Keras does", () => {
    const inputsFor = (inputs: Parameters<typeof model>[0]["inputs"], all: SymbolicTensor[]) =>
      networkOf(model({ inputs, outputs: all.reduce((a, b) => sum()([a, b])) })).inputs.map(({ name }) => name);
    const [a, b, c] = [input({ shape: [2] }), input({ shape: [2], name: "mine" }), input({ shape: [2] })];
    expect(inputsFor({ x: a, y: b }, [a, b])).toEqual(["x", "y"]);
    expect(inputsFor([a, b, c], [a, b, c])).toEqual(["input", "mine", "input_1"]);
  });

  it("names outputs by their keys, or in a list by their layers", () => {
    const x = input({ shape: [2] });
    const [a, b] = [dense({ units: 2, name: "left" })(x), dense({ units: 2 })(x)];
    const names = <P>(of: Model<P>) => networkOf(of).outputs.map(({ name }) => name);
    expect(names(model({ inputs: x, outputs: [a, b] }))).toEqual(["left", "dense"]);
    expect(names(model({ inputs: x, outputs: { one: a, two: a } }))).toEqual(["one", "two"]);
    const [twin, next] = [dense({ units: 2, name: "twin" }), dense({ units: 2, name: "twin_1" })];
    const [c, d] = [twin(x), next(x)];
    // Once more the same tensor, and another output of a shared layer.
    expect(names(model({ inputs: x, outputs: [c, c, twin(a), d] }))).toEqual(["twin", "twin_2", "twin_3", "twin_1"]);
    expect(names(model({ inputs: x, outputs: a, name: "it" }))).toEqual(["left"]);
    const isSingle = <P>(of: Model<P>) => of[INTERNALS].architecture.isSingle;
    expect([a, [a], { a }].map((outputs) => isSingle(model({ inputs: x, outputs })))).toEqual([true, false, false]);
  });

  it("may be deep", () => {
    const x = input({ shape: [2] });
    let y = x;
    for (let i = 0; i < 20_000; i++) y = flatten()(y);
    expect(networkOf(model({ inputs: x, outputs: y })).uses).toHaveLength(20_000);
  });

  it("leaves its layers free for other models", () => {
    const x = input({ shape: [2] });
    const shared = dense({ units: 2 });
    const [one, two] = [model({ inputs: x, outputs: shared(x) }), model({ inputs: x, outputs: shared(shared(x)) })];
    expect(networkOf(one).uses).toHaveLength(1);
    expect(networkOf(two).uses).toHaveLength(2);
    expect(networkOf(sequential([dense({ units: 2, inputShape: [2] }), shared])).layers).toHaveLength(2);
  });
});

describe("wrong wiring", () => {
  const x = input({ shape: [3], name: "x" });
  const spare = input({ shape: [3], name: "spare" });
  const layer = dense({ units: 3 });
  const y = layer(x);
  const other = input({ shape: [4] });

  it.each<[what: string, call: () => unknown, message: RegExp, code?: string]>([
    [
      "numbers for a layer",
      () => layer([1, 2, 3] as never),
      /^Dense "dense" is called on symbolic tensors, .*Numbers go/,
    ],
    ["no tensors for a layer", () => layer([]), /is called on symbolic tensors/],
    ["a layer for a layer", () => layer(flatten() as never), /is called on symbolic tensors/],
    ["nothing", () => model({} as never), /^model: inputs must be a symbolic tensor, a list .* got undefined/],
    ["no inputs", () => model({ inputs: [], outputs: y }), /model: inputs must be a symbolic tensor/],
    ["no outputs", () => model({ inputs: x, outputs: {} }), /model: outputs must be a symbolic tensor/],
    ["a layer for an output", () => model({ inputs: x, outputs: layer as never }), /model: outputs .* got a function/],
    ["a hole", () => model({ inputs: x, outputs: [y, undefined as never] }), /model: outputs .* got undefined/],
    ["a hole in a list", () => model({ inputs: new Array(1), outputs: y }), /model: inputs .* got undefined/],
    ["an option that is none", () => model({ inputs: x, output: y } as never), /model has no option "output"/],
    [
      "an output for an input",
      () => model({ inputs: y, outputs: y }),
      /inputs must come from input\(.*what Dense makes/,
    ],
    [
      "an input for all outputs",
      () => model({ inputs: x, outputs: [x, x] }),
      /^model: outputs are inputs only\. Let a layer make one of them/,
    ],
    [
      "an input that was left out",
      () => model({ inputs: spare, outputs: y }),
      /^Input "x" leads to the outputs, .*Add it/,
    ],
    [
      "an input without name, too",
      () => model({ inputs: x, outputs: sum()([y, layer(input({ shape: [3] }))]) }),
      /^An input/,
    ],
    [
      "an input that leads nowhere",
      () => model({ inputs: [x, spare], outputs: y }),
      /"spare" leads to no output\. Leave/,
    ],
    ["an input twice", () => model({ inputs: [x, x], outputs: y }), /an input named "x" already/],
    [
      "names twice",
      () => model({ inputs: [x, input({ shape: [3], name: "x" })], outputs: y }),
      /input named "x" already/,
    ],
    [
      "layers of one name",
      () => model({ inputs: x, outputs: softmax(2, "a")(dense({ units: 2, name: "a" })(x)) }),
      /named "a"/,
    ],
    [
      "a shared layer on other shapes",
      () => model({ inputs: [x, other], outputs: [y, layer(other)] }),
      /^Dense "dense" is shared, but "dense\/kernel" has shape \[3, 3\], and for this input it would be \[4, 3\]\. Make a/,
      "shape",
    ],
    [
      "shapes that do not fit",
      () => model({ inputs: [x, other], outputs: sum()([x, other]) }),
      /"sum" adds tensors of one shape/,
      "shape",
    ],
    [
      "more inputs than a layer reads",
      () => model({ inputs: [x, spare], outputs: layer([x, spare]) }),
      /^Dense "dense" does not read input 2 of the 2 that it was called on/,
    ],
    [
      "an input without shape",
      () => input({} as never),
      /^input: shape must be the shape of one sample, .* got undefined/,
    ],
  ])("is told: %s", (_, call, message, code = "value") => {
    const error = failure(call);
    expect(error.message).toMatch(message);
    expect(error.code).toBe(code);
  });
});

describe("defineLayer", () => {
  it("makes a layer that is called, goes into a row, and says what it is made of", () => {
    const made = sum("mine");
    expect({ ...made }).toMatchObject({ type: "Sum", name: "mine" });
    expect(Object.keys(made).sort()).toEqual(["call", "name", "type"]);
    expect(defineLayer({ type: "A", call: ({ input }) => input }).name).toBeUndefined();
    const double = defineLayer({ type: "Double", call: ({ input: x, add }) => add(ops.add, { a: x, b: x }).c });
    expect(networkOf(sequential([dense({ units: 2, inputShape: [3] }), double])).layers[1]).toMatchObject({
      name: "double",
      inputShape: [2],
      outputShapes: [[2]],
    });
  });

  it("gives a layer the shapes of all its inputs", () => {
    const seen: unknown[] = [];
    const [a, b] = [input({ shape: [2] }), input({ shape: [2] })];
    const spy = defineLayer({
      type: "Spy",
      variables: (built) => {
        seen.push(built);
        return [];
      },
      call: ({ inputs, add }) => add(ops.add, { a: inputs[0]!, b: inputs[1]! }).c,
    });
    model({ inputs: { a, b }, outputs: spy([a, dense({ units: 2 })(b)]) });
    // Once as it is called, and once in the model, which names its inputs.
    const built = { name: "spy", input: [2], inputs: [[2], [2]] };
    expect(seen).toEqual([
      { ...built, from: "input" },
      { ...built, from: "a" },
    ]);
  });
});

describe("a functional model's config", () => {
  const Sum = (config: { name?: string }): Layer =>
    defineLayer({
      type: "Sum",
      name: config.name,
      config: {},
      call: ({ inputs, add }) => add(ops.add, { a: inputs[0]!, b: inputs[1]! }).c,
    });
  const made = () => {
    const [left, right] = [input({ shape: [4], name: "left" }), input({ shape: [4] })];
    const twin = dense({ units: 3, name: "twin", trainable: false });
    const seen = Sum({})([twin(left), twin(right)]);
    return model({
      inputs: { left, right },
      outputs: { digit: softmax(3)(seen), parity: softmax(2)(seen) },
      name: "both",
    });
  };
  const again = (config: unknown) => fromConfig(JSON.parse(JSON.stringify(config)), { layers: { Sum } });

  it("counts values: inputs first, then what each use makes", () => {
    expect(toConfig(made())).toMatchObject({
      className: "Functional",
      version: 1,
      name: "both",
      single: false,
      inputs: [
        { name: "left", shape: [4] },
        { name: "right", shape: [4] },
      ],
      layers: [
        { className: "Dense", config: { name: "twin", units: 3, trainable: false } },
        { className: "Sum", config: { name: "sum" } },
        { className: "Dense", config: { name: "dense", units: 3 } },
        { className: "Dense", config: { name: "dense_1", units: 2 } },
      ],
      uses: [
        { layer: "twin", inputs: [0] },
        { layer: "twin", inputs: [1] },
        { layer: "sum", inputs: [2, 3] },
        { layer: "dense", inputs: [4] },
        { layer: "dense_1", inputs: [4] },
      ],
      outputs: [
        { name: "digit", value: 5 },
        { name: "parity", value: 6 },
      ],
    });
  });

  it("makes the model again", () => {
    const config = toConfig(made());
    const back = again(config);
    expect(toConfig(back)).toEqual(config);
    expect(back.layers).toEqual(made().layers);
    const parts = ({ inputs, outputs, variables }: Network) => ({
      inputs,
      outputs,
      variables: variables.map(({ initial, ...variable }) => ({ ...variable, initial: initial?.(3) })),
    });
    expect(parts(networkOf(back))).toEqual(parts(networkOf(made())));
    expect(usesOf(back)).toEqual(usesOf(made()));
    expect(String(training(networkOf(back)).plan)).toBe(String(training(networkOf(made())).plan));
  });

  it("knows whether the output has a name", () => {
    const x = input({ shape: [4], name: "x" });
    const y = softmax(2)(x);
    for (const outputs of [y, [y], { y }]) {
      const config = toConfig(model({ inputs: x, outputs }));
      expect(toConfig(again(config))).toEqual(config);
    }
  });

  const changed = (change: object) => failure(() => again({ ...toConfig(made()), ...change })).message;
  it.each<[string, object, RegExp]>([
    ["a use of no layer", { uses: [{ layer: "none", inputs: [0] }] }, /config\.uses\[0\]: there is no layer "none"/],
    ["a use of an inherited one", { uses: [{ layer: "toString", inputs: [0] }] }, /there is no layer "toString"/],
    [
      "a value that comes later",
      { uses: [{ layer: "twin", inputs: [2] }] },
      /uses\[0\] names value 2, which is not made be/,
    ],
    ["an output of nothing", { outputs: [{ name: "a", value: 9 }] }, /outputs\[0\] names value 9, .* There are 7\./],
    ["no outputs", { outputs: [] }, /outputs/],
    ["no uses", { uses: undefined }, /config\.uses must be an array/],
    [
      "a shape of halves",
      { inputs: [{ name: "left", shape: [1.5] }] },
      /inputs\[0\]\.shape\[0\] must be a whole number/,
    ],
    ["no word for single", { single: 1 }, /config\.single must be/],
    ["more than there is", { edges: [] }, /config has no option "edges"/],
  ])("is refused with %s", (_, change, message) => expect(changed(change)).toMatch(message));
});

describe("a frozen layer", () => {
  const frozen = () => sequential([dense({ units: 3, inputShape: [4], trainable: false, name: "frozen" }), softmax(2)]);

  it("is not stepped: it has no gradient and no slots, and learns of it", () => {
    const network = networkOf(frozen());
    expect(network.variables.map(({ path, trainable }) => [path, trainable])).toEqual([
      ["frozen/kernel", false],
      ["frozen/bias", false],
      ["dense/kernel", true],
      ["dense/bias", true],
    ]);
    expect([...training(network).gradients.keys()]).toEqual(["dense/kernel", "dense/bias"]);
    const kept = variablesOf(network, sgd({ momentum: 0.9 }), undefined).map(({ path }) => path);
    expect(kept.filter((path) => path.endsWith("momentum"))).toEqual(["dense/kernel/momentum", "dense/bias/momentum"]);
    const told: boolean[] = [];
    const call = ({ input: x, trainable, trainingState }: LayerCall) => {
      if (trainingState !== undefined) told.push(trainable);
      return x;
    };
    for (const trainable of [false, true])
      training(networkOf(sequential([softmax(2, "a"), { type: "Own", trainable, call }].reverse().map(first))));
    expect(told).toEqual([false, true]);
    function first<T extends object>(layer: T, i: number) {
      return (i === 0 ? { ...layer, inputShape: [2] } : layer) as never;
    }
  });

  it("leaves nothing to train where all are", () => {
    const network = networkOf(
      sequential([dense({ units: 2, activation: "softmax", inputShape: [4], trainable: false })]),
    );
    const { code, message } = failure(() => training(network));
    expect(code).toBe("state");
    expect(message).toContain("no trainable parameters");
  });
});

it("variables of one path are refused, whatever makes them", () => {
  const layer = { type: "Own", name: "dense/kernel", call: ({ input: x }: LayerCall) => x };
  const variables = () => [{ name: "momentum", shape: [1], initializer: "zeros" as const }];
  const network = networkOf(sequential([dense({ units: 2, inputShape: [2] }), { ...layer, variables }]));
  expect(variablesOf(network, sgd(), undefined)).toBeDefined();
  expect(failure(() => variablesOf(network, sgd({ momentum: 0.9 }), undefined)).message).toBe(
    'The model has two variables named "dense/kernel/momentum". Rename a layer or a metric.',
  );
});
