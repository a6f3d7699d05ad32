import { describe, expect, it } from "vitest";
import { addTensor, emptyGraph, tensorOf } from "../../src/graph/graph.ts";
import { defineOp } from "../../src/graph/op.ts";
import { averagePooling2d, conv2d, dense, flatten, type Layer, maxPooling2d } from "../../src/index.ts";
import { Network } from "../../src/network/network.ts";
import { articleLayers } from "../support/models.ts";
import { failure, networkOf } from "./building.ts";

/** Everything that can be seen of a network. */
const snapshot = (network: Network) => ({
  layers: network.layers.map(({ name }) => name),
  built: network.built.map(({ name, inputShape, outputShape }) => ({ name, inputShape, outputShape })),
  inputShape: network.inputShape,
  outputShape: network.outputShape,
  parameters: network.parameters.map(({ path, shape }) => [path, shape]),
  count: network.parameterCount,
  ops: [...network.ops.keys()],
});

describe("names", () => {
  it("are Keras's: the type in snake case, numbered from the second on", () => {
    const layers = [
      conv2d({ filters: 2, kernelSize: 3 }),
      maxPooling2d(),
      conv2d({ filters: 2, kernelSize: 3 }),
      maxPooling2d(),
      averagePooling2d(),
      conv2d({ filters: 2, kernelSize: 1 }),
      flatten(),
      dense({ units: 2 }),
      dense({ units: 2 }),
    ];
    expect(networkOf(layers).layers.map(({ name }) => name)).toEqual([
      ...["conv2d", "max_pooling2d", "conv2d_1", "max_pooling2d_1", "average_pooling2d", "conv2d_2"],
      ...["flatten", "dense", "dense_1"],
    ]);
  });

  it("that the user gave are kept, and the others go around them", () => {
    const names = ["dense_1", undefined, undefined, "head", undefined];
    const layers = names.map((name) => dense({ units: 2, ...(name ? { name } : {}) }));
    expect(networkOf(layers).layers.map(({ name }) => name)).toEqual([
      "dense_1",
      "dense",
      "dense_2",
      "head",
      "dense_3",
    ]);
  });

  it("must differ", () => {
    const network = networkOf([dense({ units: 2, name: "head", inputShape: [3] })]);
    const before = snapshot(network);
    const { code, message } = failure(() => network.add(dense({ units: 2, name: "head" })));
    expect(code).toBe("value");
    expect(message).toContain('"head"');
    expect(snapshot(network)).toEqual(before);
  });

  it("of parameters must differ too, and be words", () => {
    const owning = (name: string, ...names: string[]): Layer => ({
      ...dense({ units: 3, name, useBias: false }),
      parameters: () => names.map((each) => ({ name: each, shape: [3, 3], initializer: "zeros" })),
      call: ({ input }) => input,
    });
    const first = dense({ units: 3, inputShape: [3] });
    const refused: [Layer[], RegExp][] = [
      [[owning("a", "w", "w")], /has a parameter "a\/w" already/],
      [[owning("a/b", "kernel"), owning("a", "b/kernel")], /has a parameter "a\/b\/kernel" already/],
      [[owning("a", "")], /Dense "a": a parameter's name must be a word, got ""/],
    ];
    for (const [layers, text] of refused) {
      const known = failure(() => networkOf([first, ...layers]));
      const later = failure(() => networkOf(layers).build([3]));
      expect([known.code, later.code]).toEqual(["value", "value"]);
      expect(known.message).toMatch(text);
      expect(later.message).toMatch(text);
    }
    expect(networkOf([first, owning("a/b", "w"), owning("a", "b/v")]).parameters).toHaveLength(4);
  });

  it("in messages are short", () => {
    const name = "x".repeat(10_000);
    const network = networkOf([dense({ units: 2, name, inputShape: [3] })]);
    const refused = [
      dense({ units: 2, name }),
      { ...dense({ units: 2 }), type: name, name: 5 as never },
      conv2d({ filters: 2, kernelSize: 1 }),
    ];
    for (const layer of refused) expect(failure(() => network.add(layer)).message.length).toBeLessThan(500);
  });

  it("of one layer used twice are two", () => {
    const layer = dense({ units: 3, inputShape: [3] });
    const network = networkOf([layer, layer]);
    expect(network.layers.map(({ name }) => name)).toEqual(["dense", "dense_1"]);
    expect(network.parameters).toHaveLength(4);
  });
});

describe("the article's network", () => {
  const network = networkOf(articleLayers());

  it("has the shapes of Keras's", () => {
    expect(network.built.map(({ outputShape }) => outputShape)).toEqual([
      [24, 24, 32],
      [12, 12, 32],
      [8, 8, 64],
      [4, 4, 64],
      [1024],
      [1000],
      [10],
    ]);
    expect(network.inputShape).toEqual([28, 28, 1]);
    expect(network.outputShape).toEqual([10]);
  });

  it("has the parameters of Keras's get_weights, in its order", () => {
    expect(network.parameters.map(({ path, shape }) => [path, shape])).toEqual([
      ["conv2d/kernel", [5, 5, 1, 32]],
      ["conv2d/bias", [32]],
      ["conv2d_1/kernel", [5, 5, 32, 64]],
      ["conv2d_1/bias", [64]],
      ["dense/kernel", [1024, 1000]],
      ["dense/bias", [1000]],
      ["dense_1/kernel", [1000, 10]],
      ["dense_1/bias", [10]],
    ]);
    expect(network.parameterCount).toBe(1087106);
  });

  it("adds its nodes to a graph of any batch, each layer with its own parameters", () => {
    const graph = emptyGraph();
    const input = addTensor(graph, "input", "scratch", { shape: [7, 28, 28, 1], dtype: "f32" });
    const parameters = network.parameters.map(({ path, shape }) =>
      addTensor(graph, path, "state", { shape, dtype: "f32" }),
    );
    const output = network.call(graph, input, parameters);
    expect(tensorOf(graph, output).shape).toEqual([7, 10]);
    const names = graph.nodes.map(({ name }) => name);
    expect(names).toEqual([
      ...["conv2d", "conv2d/activation", "max_pooling2d", "conv2d_1", "conv2d_1/activation", "max_pooling2d_1"],
      ...["flatten", "dense", "dense/activation", "dense_1", "dense_1/softmax"],
    ]);
    const inputs = (name: string) => graph.nodes[names.indexOf(name)]!.inputs.slice(1);
    expect(["conv2d", "conv2d_1", "dense", "dense_1"].flatMap(inputs)).toEqual(parameters);
  });
});

describe("a network whose input is not known yet", () => {
  const layers = () => [conv2d({ filters: 4, kernelSize: 3 }), flatten(), dense({ units: 2 })];

  it("is built when it is", () => {
    const network = networkOf(layers());
    expect(network.built).toEqual([]);
    expect(network.outputShape).toBeUndefined();
    expect(network.parameters).toEqual([]);
    network.build([6, 6, 3]);
    expect(network.inputShape).toEqual([6, 6, 3]);
    expect(network.built.map(({ outputShape }) => outputShape)).toEqual([[4, 4, 4], [64], [2]]);
    network.add(dense({ units: 5 }));
    expect(network.outputShape).toEqual([5]);
  });

  it("may be built again for the same shape, and no other", () => {
    const network = networkOf(layers());
    network.build([6, 6, 3]);
    const before = snapshot(network);
    network.build([6, 6, 3]);
    const { code, message } = failure(() => network.build([6, 6, 1]));
    expect(code).toBe("shape");
    for (const shape of ["[6, 6, 3]", "[6, 6, 1]"]) expect(message).toContain(shape);
    expect(snapshot(network)).toEqual(before);
  });

  it("stays unbuilt where a layer does not fit, and fits another shape later", () => {
    const network = networkOf(layers());
    const before = snapshot(network);
    expect(failure(() => network.build([2, 2, 3])).code).toBe("shape");
    expect(failure(() => network.build([784])).message).toContain('Conv2D "conv2d"');
    expect(snapshot(network)).toEqual(before);
    network.build([6, 6, 3]);
    expect(network.outputShape).toEqual([2]);
  });

  it("stays unbuilt where only its second layer does not fit", () => {
    const network = networkOf([conv2d({ filters: 4, kernelSize: 3 }), maxPooling2d({ poolSize: 5 })]);
    const before = snapshot(network);
    expect(failure(() => network.build([4, 4, 1])).message).toContain('"max_pooling2d"');
    expect(snapshot(network)).toEqual(before);
    network.build([8, 8, 1]);
    expect(network.built.map(({ outputShape }) => outputShape)).toEqual([
      [6, 6, 4],
      [1, 1, 4],
    ]);
  });

  it("of no layers cannot be built", () => {
    const { code, message } = failure(() => new Network().build([3]));
    expect(code).toBe("state");
    expect(message).toContain("no layers");
  });
});

describe("a layer that does not fit", () => {
  const base = () => networkOf([conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 1] })]);
  const broken: Layer = { type: "Broken", parameters: () => [], call: ({ add, input }) => add("oops", [input])[0]! };

  it.each<[string, Layer, string[]]>([
    ["dense on images", dense({ units: 2 }), ['Dense "dense"', "[batch, 4, 4, 4]", '"conv2d"', "flatten()"]],
    ["a window too large", maxPooling2d({ poolSize: 5 }), ['"max_pooling2d"', "[5, 5]", "[4, 4, 4]"]],
    ["a kernel too large", conv2d({ filters: 1, kernelSize: 5 }), ['"conv2d_1"', "[5, 5]", "[4, 4, 4]"]],
    ["an unknown op", broken, ['"oops"']],
  ])("leaves the network as it was: %s", (_, layer, words) => {
    const network = base();
    const before = snapshot(network);
    const { message } = failure(() => network.add(layer));
    for (const word of words) expect(message).toContain(word);
    expect(snapshot(network)).toEqual(before);
    network.add(flatten());
    expect(network.outputShape).toEqual([64]);
  });

  it("as the first one, leaves the network empty", () => {
    const network = new Network();
    expect(failure(() => network.add(dense({ units: 2, inputShape: [4, 4] }))).code).toBe("shape");
    expect(snapshot(network)).toEqual(snapshot(new Network()));
    network.add(dense({ units: 2, inputShape: [4] }));
    expect(network.outputShape).toEqual([2]);
  });

  it.each([undefined, null, 5, "dense", {}, { type: "Dense" }, dense])("is no layer: %o", (value) => {
    const { code, message } = failure(() => new Network().add(value as unknown as Layer));
    expect(code).toBe("value");
    expect(message).toContain("conv2d()");
  });
});

describe("a layer with ops of its own", () => {
  const named = (name: string) => defineOp({ name, infer: ([x]) => [x!] });
  const layer = (op: ReturnType<typeof named>): Layer => ({
    type: "MyLayer",
    ops: [op],
    parameters: () => [],
    call: ({ add, input }) => add(op.name, [input])[0]!,
  });

  it("brings them, once", () => {
    const own = named("mine");
    const network = networkOf([dense({ units: 2, inputShape: [3] }), layer(own), layer(own)]);
    expect(network.ops.get("mine")).toBe(own);
    expect(network.layers.map(({ name }) => name)).toEqual(["dense", "my_layer", "my_layer_1"]);
  });

  it("may not replace another's", () => {
    const network = networkOf([dense({ units: 2, inputShape: [3] })]);
    const before = snapshot(network);
    expect(failure(() => network.add(layer(named("dense")))).message).toContain('"dense"');
    expect(snapshot(network)).toEqual(before);
  });
});
