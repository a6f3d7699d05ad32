import { describe, expect, it } from "vitest";
import { elements } from "../../src/base/shape.ts";
import { hostData } from "../../src/data/columns.ts";
import { addTensor, emptyGraph, tensorOf } from "../../src/graph/graph.ts";
import { defineOp } from "../../src/graph/op.ts";
import {
  averagePooling2d,
  conv2d,
  dense,
  flatten,
  type LayerSpec,
  maxPooling2d,
  permute,
  tensor,
} from "../../src/index.ts";
import { stackArchitecture } from "../../src/network/architecture.ts";
import { LayerStack } from "../../src/network/layer-stack.ts";
import type { Network } from "../../src/network/network.ts";
import { countOf } from "../../src/program/variables.ts";
import { failure, networkOf } from "../support/building.ts";
import { articleLayers } from "../support/models.ts";

/** Everything that can be seen of layers in a row. */
const snapshot = ({ layers, network }: LayerStack) => ({
  layers: layers.map(({ name }) => name),
  built: network?.layers.map(({ name, inputShape, outputShapes }) => ({ name, inputShape, outputShapes })),
  inputs: network?.inputs,
  outputs: network?.outputs,
  uses: network?.uses.map(({ node, inputs, outputs }) => ({ node, inputs, outputs })),
  parameters: network?.parameters.map(({ path, shape }) => [path, shape]),
});

function stackOf(layers: readonly LayerSpec[]): LayerStack {
  const stack = new LayerStack();
  for (const layer of layers) stack.add(layer);
  return stack;
}

/** The stack, built for samples of a shape. */
function built(stack: LayerStack, sample: readonly number[]): Network {
  stack.build(stack.networkFor(sample));
  return stack.network!;
}

const outputShapes = ({ layers }: Network) => layers.map(({ outputShapes }) => outputShapes[0]);
const outputShape = ({ network }: LayerStack) => network?.outputs[0]?.shape;

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
    expect(stackOf(layers).layers.map(({ name }) => name)).toEqual([
      "conv2d",
      "max_pooling2d",
      "conv2d_1",
      "max_pooling2d_1",
      "average_pooling2d",
      "conv2d_2",
      "flatten",
      "dense",
      "dense_1",
    ]);
  });

  it("that the user gave are kept, and the others go around them", () => {
    const names = ["dense_1", undefined, undefined, "head", undefined];
    const layers = names.map((name) => dense({ units: 2, ...(name ? { name } : {}) }));
    expect(stackOf(layers).layers.map(({ name }) => name)).toEqual(["dense_1", "dense", "dense_2", "head", "dense_3"]);
  });

  it("must differ", () => {
    const stack = stackOf([dense({ units: 2, name: "head", inputShape: [3] })]);
    const before = snapshot(stack);
    const { code, message } = failure(() => stack.add(dense({ units: 2, name: "head" })));
    expect(code).toBe("value");
    expect(message).toContain('"head"');
    expect(snapshot(stack)).toEqual(before);
  });

  it("of parameters must differ too, and be words", () => {
    const owning = (name: string, ...names: string[]): LayerSpec => ({
      ...dense({ units: 3, name, useBias: false }),
      variables: () => names.map((each) => ({ name: each, shape: [3, 3], initializer: "zeros" })),
      call: ({ input }) => input,
    });
    const first = dense({ units: 3, inputShape: [3] });
    const refused: [LayerSpec[], RegExp][] = [
      [[owning("a", "w", "w")], /Dense "a": variables\(\) must give names that differ, got "w"/],
      [[owning("a/b", "kernel"), owning("a", "b/kernel")], /has a variable "a\/b\/kernel" already/],
      [[owning("a", "")], /Dense "a": variables\(\): name must be a word, got ""/],
    ];
    for (const [layers, text] of refused) {
      const known = failure(() => networkOf([first, ...layers]));
      const later = failure(() => stackOf(layers).networkFor([3]));
      expect([known.code, later.code]).toEqual(["value", "value"]);
      expect(known.message).toMatch(text);
      expect(later.message).toMatch(text);
    }
    expect(networkOf([first, owning("a/b", "w"), owning("a", "b/v")]).parameters).toHaveLength(4);
  });

  it("in messages are short", () => {
    const name = "x".repeat(10_000);
    const stack = stackOf([dense({ units: 2, name, inputShape: [3] })]);
    const refused = [
      dense({ units: 2, name }),
      { ...dense({ units: 2 }), type: name, name: 5 as never },
      conv2d({ filters: 2, kernelSize: 1 }),
    ];
    for (const layer of refused) expect(failure(() => stack.add(layer)).message.length).toBeLessThan(500);
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
    expect(outputShapes(network)).toEqual([[24, 24, 32], [12, 12, 32], [8, 8, 64], [4, 4, 64], [1024], [1000], [10]]);
    expect(network.inputs).toEqual([{ name: "input", shape: [28, 28, 1] }]);
    expect(network.outputs).toMatchObject([{ name: "dense_1", shape: [10] }]);
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
    expect(countOf(network.variables, "parameter")).toBe(1087106);
  });

  it("adds its nodes to a graph of any batch, each layer with its own parameters", () => {
    const graph = emptyGraph();
    const input = addTensor(graph, "input", "scratch", { shape: [7, 28, 28, 1], dtype: "f32" });
    const variables = new Map(
      network.variables.map((variable) => [variable.path, addTensor(graph, variable.path, "state", variable)]),
    );
    const values = network.call(graph, { inputs: [input], variables });
    expect(values[0]).toBe(input);
    expect(tensorOf(graph, values[network.outputs[0]!.value]!).shape).toEqual([7, 10]);
    const names = graph.nodes.map(({ name }) => name);
    expect(names).toEqual([
      "conv2d",
      "conv2d/activation",
      "max_pooling2d",
      "conv2d_1",
      "conv2d_1/activation",
      "max_pooling2d_1",
      "flatten",
      "dense",
      "dense/activation",
      "dense_1",
      "dense_1/softmax",
    ]);
    const inputs = (name: string) => {
      const { kernel, bias } = graph.nodes[names.indexOf(name)]!.inputs;
      return [kernel, bias];
    };
    expect(["conv2d", "conv2d_1", "dense", "dense_1"].flatMap(inputs)).toEqual([...variables.values()]);
  });
});

describe("layers whose input is not known yet", () => {
  const layers = () => [conv2d({ filters: 4, kernelSize: 3 }), flatten(), dense({ units: 2 })];

  it("are built when it is", () => {
    const stack = stackOf(layers());
    expect(stack.network).toBeUndefined();
    const network = built(stack, [6, 6, 3]);
    expect(network.inputs).toEqual([{ name: "input", shape: [6, 6, 3] }]);
    expect(outputShapes(network)).toEqual([[4, 4, 4], [64], [2]]);
    stack.add(dense({ units: 5 }));
    expect(stack.network!.outputs).toMatchObject([{ name: "dense_1", shape: [5] }]);
  });

  it("are not built by who only asks for the network", () => {
    const stack = stackOf(layers());
    expect(outputShapes(stack.networkFor([6, 6, 3]))).toEqual([[4, 4, 4], [64], [2]]);
    expect(stack.network).toBeUndefined();
  });

  it("may be asked for again for the same shape, and no other", () => {
    const stack = stackOf(layers());
    const architecture = stackArchitecture(stack);
    const samples = (...shape: number[]) =>
      architecture.networkFor(hostData({ x: tensor(new Float32Array(elements(shape)), [1, ...shape]) }), "fit: x");
    architecture.keep(samples(6, 6, 3));
    const before = snapshot(stack);
    expect(samples(6, 6, 3)).toBe(stack.network);
    const { code, message } = failure(() => samples(6, 6, 1));
    expect(code).toBe("shape");
    for (const shape of ["[6, 6, 3]", "[6, 6, 1]"]) expect(message).toContain(shape);
    expect(failure(() => samples(6, 3)).message).toMatch(/The first axis counts the samples, one too\.$/);
    expect(snapshot(stack)).toEqual(before);
  });

  it("stay unbuilt where a layer does not fit, and fit another shape later", () => {
    const stack = stackOf(layers());
    const before = snapshot(stack);
    expect(failure(() => stack.networkFor([2, 2, 3])).code).toBe("shape");
    expect(failure(() => stack.networkFor([784])).message).toContain('Conv2D "conv2d"');
    expect(snapshot(stack)).toEqual(before);
    expect(built(stack, [6, 6, 3]).outputs).toMatchObject([{ shape: [2] }]);
  });

  it("stay unbuilt where only the second does not fit", () => {
    const stack = stackOf([conv2d({ filters: 4, kernelSize: 3 }), maxPooling2d({ poolSize: 5 })]);
    const before = snapshot(stack);
    expect(failure(() => stack.networkFor([4, 4, 1])).message).toContain('"max_pooling2d"');
    expect(snapshot(stack)).toEqual(before);
    expect(outputShapes(built(stack, [8, 8, 1]))).toEqual([
      [6, 6, 4],
      [1, 1, 4],
    ]);
  });

  it("make no network where there are none, or none that knows its input", () => {
    const { code, message } = failure(() => new LayerStack().networkFor([3]));
    expect(code).toBe("state");
    expect(message).toContain("no layers");
    expect(failure(() => networkOf(layers())).message).toMatch(/give the first layer an inputShape/);
  });
});

describe("a layer that does not fit", () => {
  const base = () => stackOf([conv2d({ filters: 4, kernelSize: 3, inputShape: [6, 6, 1] })]);
  const broken: LayerSpec = {
    type: "Broken",
    call: ({ add, input }) => (add("oops" as never, { x: input } as never) as { y: number }).y,
  };

  it.each<[string, LayerSpec, string[]]>([
    ["axes that are not there", permute({ dims: [2, 1] }), ['Permute "permute"', "[batch, 4, 4, 4]", "3 axes"]],
    ["a window too large", maxPooling2d({ poolSize: 5 }), ['"max_pooling2d"', "[5, 5]", "[4, 4, 4]"]],
    ["a kernel too large", conv2d({ filters: 1, kernelSize: 5 }), ['"conv2d_1"', "[5, 5]", "[4, 4, 4]"]],
    ["what is no op", broken, ['"oops"', "infer()"]],
  ])("leaves the layers as they were: %s", (_, layer, words) => {
    const stack = base();
    const before = snapshot(stack);
    const { message } = failure(() => stack.add(layer));
    for (const word of words) expect(message).toContain(word);
    expect(snapshot(stack)).toEqual(before);
    stack.add(flatten());
    expect(outputShape(stack)).toEqual([64]);
  });

  it("as the first one, leaves none", () => {
    const stack = new LayerStack();
    expect(failure(() => stack.add(maxPooling2d({ inputShape: [4, 4] }))).code).toBe("shape");
    expect(snapshot(stack)).toEqual(snapshot(new LayerStack()));
    stack.add(dense({ units: 2, inputShape: [4] }));
    expect(outputShape(stack)).toEqual([2]);
  });

  it("is told where its inputShape is not what comes in", () => {
    const stack = base();
    const before = snapshot(stack);
    expect(failure(() => stack.add(flatten({ inputShape: [4, 4, 5] }))).message).toBe(
      'Flatten "flatten" was given inputShape [4, 4, 5], but what comes in is [4, 4, 4]. Leave it out.',
    );
    expect(snapshot(stack)).toEqual(before);
    stack.add(flatten({ inputShape: [4, 4, 4] }));
    expect(outputShape(stack)).toEqual([64]);
  });

  it.each([undefined, null, 5, "dense", {}, { type: "Dense" }, dense])("is no layer: %o", (value) => {
    const { code, message } = failure(() => new LayerStack().add(value as unknown as LayerSpec));
    expect(code).toBe("value");
    expect(message).toContain("conv2d()");
  });
});

describe("a layer with ops of its own", () => {
  const named = (name: string) => defineOp({ name, inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });
  const layer = (op: ReturnType<typeof named>): LayerSpec => ({
    type: "MyLayer",
    call: ({ add, input }) => add(op, { x: input }).y,
  });
  const called = (network: Network) => {
    const graph = emptyGraph();
    const input = addTensor(graph, "input", "scratch", { shape: [1, 3], dtype: "f32" });
    const variables = new Map(
      network.variables.map((variable) => [variable.path, addTensor(graph, variable.path, "state", variable)]),
    );
    network.call(graph, { inputs: [input], variables });
    return graph;
  };

  it("brings them, once", () => {
    const own = named("mine");
    const network = networkOf([dense({ units: 2, inputShape: [3] }), layer(own), layer(own)]);
    expect(called(network).ops.get("mine")).toBe(own);
    expect(network.layers.map(({ name }) => name)).toEqual(["dense", "my_layer", "my_layer_1"]);
  });

  it("may not replace another's", () => {
    const network = networkOf([dense({ units: 2, inputShape: [3] }), layer(named("dense"))]);
    expect(failure(() => called(network)).message).toBe('There are two ops named "dense". Rename one of them.');
  });
});
