import { describe, expect, it } from "vitest";
import { tensorOf } from "../../src/graph/graph.ts";
import { defineOp, typed } from "../../src/graph/op.ts";
import { inputsOf, type Node, outputsOf, type TensorId } from "../../src/graph/tensor.ts";
import { type Activation, activate, activationGradient } from "../reference/activation.ts";
import { matmul } from "../reference/matmul.ts";
import { randomArray } from "../reference/random.ts";
import { Build, failure } from "../support/building.ts";
import { expectClose, numericGradient } from "../support/compare.ts";
import { tolerances } from "../support/tolerances.ts";

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** The sum of x. */
const sumOf = defineOp({
  name: "sumOf",
  inputs: ["x"],
  outputs: ["y"],
  infer: () => ({ y: { shape: [1], dtype: "f32" } }),
  gradient: ({ inputs: { x }, gradients: { y: dy }, tensor, add }) => ({
    x: add(spread, { dy: dy! }, { shape: tensor(x).shape }).y,
  }),
});
/** dx of `sumOf`: dy [1] in each place. */
const spread = defineOp({
  name: "spread",
  inputs: ["dy"],
  outputs: ["y"],
  attributes: typed<{ readonly shape: readonly number[] }>(),
  infer: (_, { shape }) => ({ y: { shape, dtype: "f32" } }),
});
const dead = defineOp({ name: "dead", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });

/** What a node computes, in float64. */
function valuesOf(build: Build, node: Node, values: Map<TensorId, Float64Array>) {
  const { op, attributes } = node;
  const [a, b] = inputsOf(node).map((id) => values.get(id)!);
  const { transposeA = false, transposeB = false } = attributes as { transposeA?: boolean; transposeB?: boolean };
  const [m, n] = tensorOf(build.graph, outputsOf(node)[0]!).shape;
  switch (op) {
    case "add":
      return a!.map((value, i) => value + b![i]!);
    case "reshape":
      return a!;
    case "fill":
      return new Float64Array(size(attributes.shape as number[])).fill(attributes.value as number);
    case "spread":
      return new Float64Array(size(attributes.shape as number[])).fill(a![0]!);
    case "sumOf":
      return Float64Array.of(a!.reduce((sum, value) => sum + value, 0));
    case "activation":
      return activate(attributes.kind as Activation, a!);
    case "activationGradient":
      return activationGradient(attributes.kind as Activation, b!, a!);
    case "matmul": {
      const k = a!.length / m!;
      return matmul(a!, b!, { m: m!, n: n!, k, transposeA, transposeB } as never);
    }
    default:
      throw new Error(`The test cannot compute ${op}.`);
  }
}

/** Runs a graph in its order and returns every tensor. */
function evaluate(build: Build, inputs: ReadonlyMap<TensorId, Float64Array>) {
  const values = new Map(inputs);
  for (const node of build.graph.nodes) values.set(outputsOf(node)[0]!, valuesOf(build, node, values));
  return values;
}

/** The gradients that the graph computes against central differences of its loss. */
function check(build: Build, loss: TensorId, of: readonly TensorId[]) {
  const values = new Map(
    build.graph.tensors
      .filter(({ role, id }) => role === "state" && id !== build.graph.state)
      .map(({ id, shape }) => [id, randomArray(size(shape), id)]),
  );
  const numeric = of.map((id) => numericGradient(() => evaluate(build, values).get(loss)![0]!, values.get(id)!));
  const made = build.gradients(loss, of);
  const all = evaluate(build, values);
  made.forEach((id, i) => {
    const { name, shape } = tensorOf(build.graph, of[i]!);
    expect(tensorOf(build.graph, id).shape).toEqual(shape);
    expectClose(all.get(id)!, numeric[i]!, tolerances.finiteDifference, `the gradient of ${name}`);
  });
}

describe("gradients", () => {
  it.each([
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ])("of a product, a transposed: %s, b transposed: %s", (transposeA, transposeB) => {
    const build = new Build();
    const a = build.input("a", transposeA ? [3, 2] : [2, 3]);
    const b = build.input("b", transposeB ? [4, 3] : [3, 4]);
    const { c } = build.add("matmul", { a, b }, { transposeA, transposeB });
    const { y } = build.add("activation", { x: c! }, { kind: "tanh" });
    const { y: loss } = build.add(sumOf, { x: y! });
    check(build, loss!, [a, b]);
  });

  it("of a graph with two branches that meet again", () => {
    const build = new Build();
    const [x, w, v] = [build.input("x", [2, 3]), build.input("w", [3, 3]), build.input("v", [3, 3])];
    const { c: h } = build.add("matmul", { a: x, b: w }, {}, "h");
    const { y: left } = build.add("activation", { x: h! }, { kind: "sigmoid" }, "left");
    const { y: flat } = build.add("reshape", { x: h! }, { shape: [3, 2] }, "flat");
    const { y: back } = build.add("reshape", { x: flat! }, { shape: [2, 3] }, "back");
    const { c: right } = build.add("matmul", { a: back!, b: v }, {}, "right");
    const { c: both } = build.add("add", { a: left!, b: right! }, {}, "both");
    const { c: thrice } = build.add("add", { a: both!, b: h! }, {}, "thrice");
    const { y } = build.add("activation", { x: thrice! }, { kind: "tanh" }, "y");
    const { y: loss } = build.add(sumOf, { x: y! });
    check(build, loss!, [x, w, v]);
  });

  it("of a tensor that one node reads twice", () => {
    const build = new Build();
    const x = build.input("x", [2, 2]);
    const { c: square } = build.add("matmul", { a: x, b: x }, {}, "square");
    const { c: twice } = build.add("add", { a: square!, b: square! }, {}, "twice");
    const { y: loss } = build.add(sumOf, { x: twice! });
    check(build, loss!, [x]);
  });
});

describe("a seed", () => {
  const seeded = (shape: readonly number[]) => {
    const build = new Build();
    const [x, own] = [build.input("x", shape), build.input("seed", shape)];
    const { y } = build.add("activation", { x }, { kind: "tanh" }, "y");
    const [dx] = build.gradients(y!, [x], own);
    return { build, x, own, y: y!, dx: dx! };
  };

  it("is the gradient of the value itself, and scales all others", () => {
    const { build, x, own, y, dx } = seeded([2, 3]);
    const [values, seed] = [randomArray(6, 1), randomArray(6, 2)];
    const all = evaluate(
      build,
      new Map([
        [x, values],
        [own, seed],
      ]),
    );
    const expected = activationGradient("tanh", all.get(y)!, seed);
    expectClose(all.get(dx)!, expected, tolerances.finiteDifference, "the gradient of x");
    expect(build.order).toEqual(["activation", "activationGradient"]);
    expect(build.graph.nodes.at(-1)!.inputs.dy).toBe(own);
  });

  it("is the gradient where the value is asked for its own", () => {
    const build = new Build();
    const [x, seed] = [build.input("x", [3]), build.input("seed", [3])];
    expect(build.gradients(x, [x], seed)).toEqual([seed]);
    expect(build.order).toEqual([]);
  });
});

describe("a tensor with several readers", () => {
  const fan = () => {
    const build = new Build();
    const x = build.input("x", [2, 2]);
    const parts = ["tanh", "relu", "sigmoid"].map((kind) => build.add("activation", { x }, { kind }, kind).y!);
    const { c: first } = build.add("add", { a: parts[0]!, b: parts[1]! }, {}, "first");
    const { c: second } = build.add("add", { a: first!, b: parts[2]! }, {}, "second");
    const { y: loss } = build.add(sumOf, { x: second! });
    const forward = build.graph.nodes.length;
    const [dx] = build.gradients(loss!, [x]);
    return { build, x, dx: dx!, added: build.graph.nodes.slice(forward) };
  };

  it("has its gradients added one after the other, the last reader's first", () => {
    const { build, dx, added } = fan();
    const sums = added.filter(({ op }) => op === "add");
    expect(sums).toHaveLength(2);
    const names = (ids: readonly TensorId[]) => ids.map((id) => tensorOf(build.graph, id).name);
    expect(names(inputsOf(sums[0]!))).toEqual(["sigmoid/activationGradient", "relu/activationGradient"]);
    expect(sums[1]!.inputs.a).toBe(sums[0]!.outputs.c);
    expect(names([sums[1]!.inputs.b!])).toEqual(["tanh/activationGradient"]);
    expect(sums[1]!.outputs.c).toBe(dx);
  });

  it("has the same graph each time", () => {
    expect(fan().build.graph).toEqual(fan().build.graph);
  });

  it("has its sum made once, however often it is asked for", () => {
    const build = new Build();
    const x = build.input("x", [2, 2]);
    const { c: y } = build.add("add", { a: x, b: x });
    const { y: loss } = build.add(sumOf, { x: y! });
    const [first, again] = build.gradients(loss!, [x, x]);
    expect(again).toBe(first);
    expect(build.order.filter((op) => op === "add")).toHaveLength(2);
  });
});

describe("what is not asked for", () => {
  it("is not made: the input gradient of the first layer", () => {
    const build = new Build();
    const [x, w, b] = [build.input("x", [4, 3]), build.input("w", [3, 5]), build.input("b", [5])];
    const labels = build.input("labels", [4, 1], "u32");
    const { y: logits } = build.add("dense", { x, kernel: w, bias: b });
    const { loss } = build.add("softmaxCrossEntropy", { x: logits!, labels, state: build.graph.state });
    const [dw, db] = build.gradients(loss!, [w, b]);
    expect(build.order).toEqual([
      "dense",
      "softmaxCrossEntropy",
      "fill",
      "softmaxCrossEntropyGradient",
      "denseFilterGradient",
    ]);
    expect(build.graph.nodes.at(-1)!.outputs).toEqual({ dkernel: dw, dbias: db });
  });

  it("is not made: the filter gradient of a layer that is not trained", () => {
    const build = new Build();
    const [x, w] = [build.input("x", [4, 3]), build.input("w", [3, 5])];
    const labels = build.input("labels", [4, 5]);
    const { y: logits } = build.add("dense", { x, kernel: w });
    const { loss } = build.add("softmaxCrossEntropy", { x: logits!, labels, state: build.graph.state });
    build.gradients(loss!, [x]);
    expect(build.order).toEqual([
      "dense",
      "softmaxCrossEntropy",
      "fill",
      "softmaxCrossEntropyGradient",
      "denseInputGradient",
    ]);
  });

  it("is not added up: the gradients of what no parameter leads into", () => {
    const build = new Build();
    const [x, w, v] = [build.input("x", [2, 2]), build.input("w", [2, 2]), build.input("v", [2, 2])];
    const { y: h } = build.add("activation", { x }, { kind: "relu" });
    const { c: a } = build.add("add", { a: h!, b: w }, {}, "a");
    const { c: b } = build.add("add", { a: h!, b: v }, {}, "b");
    const { c: y } = build.add("add", { a: a!, b: b! }, {}, "y");
    const { y: loss } = build.add(sumOf, { x: y! });
    build.gradients(loss!, [w, v]);
    expect(build.order.slice(-3)).toEqual(["sumOf", "fill", "spread"]);
  });

  it("is not walked into: a branch that does not lead to the loss", () => {
    const build = new Build();
    const x = build.input("x", [2, 2]);
    const { y } = build.add("activation", { x }, { kind: "relu" });
    build.add(dead, { x });
    const { y: loss } = build.add(sumOf, { x: y! });
    build.gradients(loss!, [x]);
    expect(build.order).toEqual(["activation", "dead", "sumOf", "fill", "spread", "activationGradient"]);
  });
});

describe("names of gradient nodes", () => {
  it("differ, since tiles are chosen by node", () => {
    const build = new Build();
    const [a, b] = [build.input("a", [2, 3]), build.input("b", [3, 4])];
    const { c } = build.add("matmul", { a, b });
    const { y: loss } = build.add(sumOf, { x: c! });
    build.gradients(loss!, [a, b]);
    const names = build.graph.nodes.filter(({ op }) => op === "matmul").map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("errors", () => {
  it("name an op without a rule, and the node", () => {
    const build = new Build();
    const x = build.input("x", [2, 2]);
    const { y } = build.add(dead, { x }, {}, "stop_here");
    const { y: loss } = build.add(sumOf, { x: y! });
    const { code, message } = failure(() => build.gradients(loss!, [x]));
    expect(code).toBe("value");
    for (const word of ['"stop_here"', '"dead"']) expect(message).toContain(word);
  });

  it("do not come from an op without a rule that no parameter leads into", () => {
    const build = new Build();
    const [x, w] = [build.input("x", [2, 2]), build.input("w", [2, 2])];
    const { y } = build.add(dead, { x });
    const { c: z } = build.add("add", { a: y!, b: w });
    const { y: loss } = build.add(sumOf, { x: z! });
    expect(build.gradients(loss!, [w])).toHaveLength(1);
  });

  it("are none of a parameter that the loss does not depend on", () => {
    const build = new Build();
    const [x, w] = [build.input("x", [2, 2]), build.input("lonely", [2, 2])];
    const { y: loss } = build.add(sumOf, { x });
    build.add("activation", { x: w }, { kind: "relu" });
    expect(build.gradients(loss!, [x, w])).toEqual([expect.any(Number), undefined]);
  });
});
