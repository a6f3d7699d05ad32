import { describe, expect, it } from "vitest";
import { gradients } from "../../src/graph/gradients.ts";
import { type Node, type TensorId, tensorOf } from "../../src/graph/graph.ts";
import { defineOp, opTable } from "../../src/graph/op.ts";
import { type Activation, activate, activationGradient } from "../reference/activation.ts";
import { matmul } from "../reference/matmul.ts";
import { randomArray } from "../reference/random.ts";
import { expectClose, numericGradient } from "../support/compare.ts";
import { allOps } from "../support/ops.ts";
import { tolerances } from "../support/tolerances.ts";
import { Build, failure } from "./building.ts";

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** The sum of x: a loss, since its rule needs no gradient from outside. */
const sumOf = defineOp({
  name: "sumOf",
  infer: () => [{ shape: [1], dtype: "f32" }],
  gradient: ({ inputs: [x], tensor, add }) => add("ones", [], { shape: tensor(x!).shape }),
});
const ones = defineOp<{ readonly shape: readonly number[] }>({
  name: "ones",
  infer: (_, { shape }) => [{ shape, dtype: "f32" }],
});
const dead = defineOp({ name: "dead", infer: ([x]) => [x!] });
const ops = opTable([...allOps.values()], [sumOf, ones, dead]);

/** What a node computes, in float64. */
function valuesOf(build: Build, { op, inputs, outputs, attributes }: Node, values: Map<TensorId, Float64Array>) {
  const [a, b] = inputs.map((id) => values.get(id)!);
  const { transposeA = false, transposeB = false } = attributes as { transposeA?: boolean; transposeB?: boolean };
  const [m, n] = tensorOf(build.graph, outputs[0]!).shape;
  switch (op) {
    case "add":
      return a!.map((value, i) => value + b![i]!);
    case "reshape":
      return a!;
    case "ones":
      return new Float64Array(size(attributes.shape as number[])).fill(1);
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
  for (const node of build.graph.nodes) values.set(node.outputs[0]!, valuesOf(build, node, values));
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
  const made = gradients(ops, build.graph, loss, of);
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
    const build = new Build(ops);
    const a = build.input("a", transposeA ? [3, 2] : [2, 3]);
    const b = build.input("b", transposeB ? [4, 3] : [3, 4]);
    const [c] = build.add("matmul", [a, b], { transposeA, transposeB });
    const [y] = build.add("activation", [c!], { kind: "tanh" });
    const [loss] = build.add("sumOf", [y!]);
    check(build, loss!, [a, b]);
  });

  it("of a graph with two branches that meet again", () => {
    const build = new Build(ops);
    const [x, w, v] = [build.input("x", [2, 3]), build.input("w", [3, 3]), build.input("v", [3, 3])];
    const [h] = build.add("matmul", [x, w], {}, "h");
    const [left] = build.add("activation", [h!], { kind: "sigmoid" }, "left");
    const [flat] = build.add("reshape", [h!], { shape: [3, 2] }, "flat");
    const [back] = build.add("reshape", [flat!], { shape: [2, 3] }, "back");
    const [right] = build.add("matmul", [back!, v], {}, "right");
    const [both] = build.add("add", [left!, right!], {}, "both");
    const [thrice] = build.add("add", [both!, h!], {}, "thrice");
    const [y] = build.add("activation", [thrice!], { kind: "tanh" }, "y");
    const [loss] = build.add("sumOf", [y!]);
    check(build, loss!, [x, w, v]);
  });

  it("of a tensor that one node reads twice", () => {
    const build = new Build(ops);
    const x = build.input("x", [2, 2]);
    const [square] = build.add("matmul", [x, x], {}, "square");
    const [twice] = build.add("add", [square!, square!], {}, "twice");
    const [loss] = build.add("sumOf", [twice!]);
    check(build, loss!, [x]);
  });
});

describe("a tensor with several readers", () => {
  const fan = () => {
    const build = new Build(ops);
    const x = build.input("x", [2, 2]);
    const parts = ["tanh", "relu", "sigmoid"].map((kind) => build.add("activation", [x], { kind }, kind)[0]!);
    const [first] = build.add("add", [parts[0]!, parts[1]!], {}, "first");
    const [second] = build.add("add", [first!, parts[2]!], {}, "second");
    const [loss] = build.add("sumOf", [second!]);
    const forward = build.graph.nodes.length;
    const [dx] = gradients(ops, build.graph, loss!, [x]);
    return { build, x, dx: dx!, added: build.graph.nodes.slice(forward) };
  };

  it("has its gradients added one after the other, the last reader's first", () => {
    const { build, dx, added } = fan();
    const sums = added.filter(({ op }) => op === "add");
    expect(sums).toHaveLength(2);
    const names = (ids: readonly TensorId[]) => ids.map((id) => tensorOf(build.graph, id).name);
    expect(names(sums[0]!.inputs)).toEqual(["sigmoid/activationGradient", "relu/activationGradient"]);
    expect(sums[1]!.inputs[0]).toBe(sums[0]!.outputs[0]);
    expect(names(sums[1]!.inputs.slice(1))).toEqual(["tanh/activationGradient"]);
    expect(sums[1]!.outputs[0]).toBe(dx);
  });

  it("has the same graph each time", () => {
    expect(fan().build.graph).toEqual(fan().build.graph);
  });

  it("has its sum made once, however often it is asked for", () => {
    const build = new Build(ops);
    const x = build.input("x", [2, 2]);
    const [y] = build.add("add", [x, x]);
    const [loss] = build.add("sumOf", [y!]);
    const [first, again] = gradients(ops, build.graph, loss!, [x, x]);
    expect(again).toBe(first);
    expect(build.order.filter((op) => op === "add")).toHaveLength(2);
  });
});

describe("what is not asked for", () => {
  it("is not made: the input gradient of the first layer", () => {
    const build = new Build();
    const [x, w, b] = [build.input("x", [4, 3]), build.input("w", [3, 5]), build.input("b", [5])];
    const labels = build.input("labels", [4, 1], "u32");
    const [logits] = build.add("dense", [x, w, b]);
    const [loss] = build.add("softmaxCrossEntropy", [logits!, labels, build.graph.state]);
    const [dw, db] = gradients(allOps, build.graph, loss!, [w, b]);
    expect(build.order).toEqual(["dense", "softmaxCrossEntropy", "denseFilterGradient"]);
    expect(build.graph.nodes.at(-1)!.outputs).toEqual([dw, db]);
  });

  it("is not made: the filter gradient of a layer that is not trained", () => {
    const build = new Build();
    const [x, w] = [build.input("x", [4, 3]), build.input("w", [3, 5])];
    const labels = build.input("labels", [4, 5]);
    const [logits] = build.add("dense", [x, w]);
    const [loss] = build.add("softmaxCrossEntropy", [logits!, labels, build.graph.state]);
    gradients(allOps, build.graph, loss!, [x]);
    expect(build.order).toEqual(["dense", "softmaxCrossEntropy", "denseInputGradient"]);
  });

  it("is not added up: the gradients of what no parameter leads into", () => {
    const build = new Build(ops);
    const [x, w, v] = [build.input("x", [2, 2]), build.input("w", [2, 2]), build.input("v", [2, 2])];
    const [h] = build.add("activation", [x], { kind: "relu" });
    const [a] = build.add("add", [h!, w], {}, "a");
    const [b] = build.add("add", [h!, v], {}, "b");
    const [y] = build.add("add", [a!, b!], {}, "y");
    const [loss] = build.add("sumOf", [y!]);
    gradients(ops, build.graph, loss!, [w, v]);
    expect(build.order.slice(-2)).toEqual(["sumOf", "ones"]);
  });

  it("is not walked into: a branch that does not lead to the loss", () => {
    const build = new Build(ops);
    const x = build.input("x", [2, 2]);
    const [y] = build.add("activation", [x], { kind: "relu" });
    build.add("dead", [x]);
    const [loss] = build.add("sumOf", [y!]);
    gradients(ops, build.graph, loss!, [x]);
    expect(build.order).toEqual(["activation", "dead", "sumOf", "ones", "activationGradient"]);
  });
});

describe("names of gradient nodes", () => {
  it("differ, since tiles are chosen by node", () => {
    const build = new Build(ops);
    const [a, b] = [build.input("a", [2, 3]), build.input("b", [3, 4])];
    const [c] = build.add("matmul", [a, b]);
    const [loss] = build.add("sumOf", [c!]);
    gradients(ops, build.graph, loss!, [a, b]);
    const names = build.graph.nodes.filter(({ op }) => op === "matmul").map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("errors", () => {
  it("name an op without a rule, and the node", () => {
    const build = new Build(ops);
    const x = build.input("x", [2, 2]);
    const [y] = build.add("dead", [x], {}, "stop_here");
    const [loss] = build.add("sumOf", [y!]);
    const { code, message } = failure(() => gradients(ops, build.graph, loss!, [x]));
    expect(code).toBe("value");
    for (const word of ['"stop_here"', '"dead"']) expect(message).toContain(word);
  });

  it("do not come from an op without a rule that no parameter leads into", () => {
    const build = new Build(ops);
    const [x, w] = [build.input("x", [2, 2]), build.input("w", [2, 2])];
    const [y] = build.add("dead", [x]);
    const [z] = build.add("add", [y!, w]);
    const [loss] = build.add("sumOf", [z!]);
    expect(gradients(ops, build.graph, loss!, [w])).toHaveLength(1);
  });

  it("name a parameter that the loss does not depend on", () => {
    const build = new Build(ops);
    const [x, w] = [build.input("x", [2, 2]), build.input("lonely", [2, 2])];
    const [loss] = build.add("sumOf", [x]);
    build.add("activation", [w], { kind: "relu" });
    const { code, message } = failure(() => gradients(ops, build.graph, loss!, [x, w]));
    expect(code).toBe("value");
    expect(message).toContain('"lonely"');
  });
});
