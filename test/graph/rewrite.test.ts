import { describe, expect, it } from "vitest";
import { graphEdit } from "../../src/graph/edit.ts";
import { defineOp, type GraphEdit, type Rewrite } from "../../src/graph/op.ts";
import { inOrder, rewrite, usedNodes } from "../../src/graph/rewrite.ts";
import { inputsOf, type Node, type TensorId } from "../../src/graph/tensor.ts";
import { activation, activationGradient } from "../../src/ops/activation/activation.ts";
import { lower } from "../../src/plan/lower.ts";
import { Build } from "../support/building.ts";
import { withOps } from "../support/ops.ts";

/** An op of a user that reads a tensor, and one that changes a gradient before the update. */
const look = defineOp({ name: "look", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });
const clip = defineOp({ name: "clip", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });

const valid = { strides: [1, 1], padding: "valid" };
const pool = { size: [2, 2], strides: [2, 2], padding: "valid" };

/** x -> dense -> relu -> dense -> loss, with gradients of all parameters. */
function perceptron() {
  const build = new Build();
  const x = build.input("x", [4, 3]);
  const shapes = { w1: [3, 5], b1: [5], w2: [5, 2], b2: [2] };
  const [w1, b1, w2, b2] = Object.entries(shapes).map(([name, shape]) => build.input(name, shape)) as TensorId[];
  const { y: h } = build.add("dense", { x, kernel: w1!, bias: b1! }, {}, "first");
  const { y } = build.add("activation", { x: h! }, { kind: "relu" }, "relu");
  const { y: logits } = build.add("dense", { x: y!, kernel: w2!, bias: b2! }, {}, "second");
  const labels = build.input("labels", [4, 1], "u32");
  const { loss } = build.add("softmaxCrossEntropy", { x: logits!, labels, state: build.graph.state }, {}, "loss");
  const parameters = [w1!, b1!, w2!, b2!];
  const made = build.meanGradients(loss!, parameters);
  const step = (rate: (i: number) => TensorId) =>
    made.forEach((gradient, i) => {
      build.add("sgd", { p: parameters[i]!, g: gradient, rate: rate(i) }, {}, `step${i}`);
    });
  return { build, h: h!, y: y!, loss: loss!, parameters, made, step };
}

const named = (build: Build, name: string): Node => {
  const found = build.graph.nodes.filter((node) => node.name === name);
  expect(found, name).toHaveLength(1);
  return found[0]!;
};
const ofOp = (build: Build, op: string): Node => {
  const found = build.graph.nodes.filter((node) => node.op === op);
  expect(found, op).toHaveLength(1);
  return found[0]!;
};

describe("an activation", () => {
  it.each(["dense", "conv2d"])("rides in the %s that it follows", (op) => {
    const build = new Build();
    const [x, k] =
      op === "dense"
        ? [
            [4, 3],
            [3, 5],
          ]
        : [
            [1, 4, 4, 3],
            [3, 3, 3, 5],
          ];
    const given = { x: build.input("x", x!), kernel: build.input("k", k!) };
    const { y: h } = build.add(op, given, op === "dense" ? {} : valid);
    const { y } = build.add("activation", { x: h! }, { kind: "tanh" });
    build.want(y!).rewrite();
    expect(build.order).toEqual([op]);
    expect(build.graph.nodes[0]).toMatchObject({ outputs: { y }, attributes: { activation: "tanh" } });
  });

  it("stays where somebody else reads what it starts from", () => {
    const build = new Build();
    const { y: h } = build.add("dense", { x: build.input("x", [4, 3]), kernel: build.input("w", [3, 5]) });
    const { y } = build.add("activation", { x: h! }, { kind: "relu" });
    const { y: seen } = build.add(look, { x: h! });
    build.want(y!, seen!).rewrite();
    expect(build.order).toEqual(["dense", "activation", "look"]);
  });

  it("stays where somebody asks for what it starts from", () => {
    const build = new Build();
    const { y: h } = build.add("dense", { x: build.input("x", [4, 3]), kernel: build.input("w", [3, 5]) });
    const { y } = build.add("activation", { x: h! }, { kind: "relu" });
    build.want(h!, y!).rewrite();
    expect(build.order).toEqual(["dense", "activation"]);
  });

  it("rides alone: a second one stays a node of its own", () => {
    const build = new Build();
    const { y: h } = build.add("dense", { x: build.input("x", [4, 3]), kernel: build.input("w", [3, 5]) });
    const { y } = build.add("activation", { x: h! }, { kind: "relu" });
    const { y: z } = build.add("activation", { x: y! }, { kind: "tanh" });
    build.want(z!).rewrite();
    expect(build.order).toEqual(["dense", "activation"]);
    expect(build.graph.nodes.map(({ attributes }) => attributes)).toEqual([{ activation: "relu" }, { kind: "tanh" }]);
  });

  it("does not ride across a pooling, since it comes after it", () => {
    const build = new Build();
    const { y: h } = build.add(
      "conv2d",
      { x: build.input("x", [1, 6, 6, 3]), kernel: build.input("k", [3, 3, 3, 5]) },
      valid,
    );
    const { y: p } = build.add("maxPooling2d", { x: h! }, pool);
    const { y } = build.add("activation", { x: p! }, { kind: "tanh" });
    build.want(y!).rewrite();
    expect(build.order).toEqual(["conv2d", "activation"]);
    expect(build.graph.nodes[0]!.attributes.activation).toBeUndefined();
  });
});

describe("an activation's gradient", () => {
  it("rides in the kernel that makes the gradient, by the activation's output", () => {
    const { build, y, made } = perceptron();
    build.want(...made).rewrite();
    const node = ofOp(build, "denseInputGradient");
    expect(node.attributes).toEqual({ gradientActivation: "relu" });
    expect(node.inputs.x).toBe(y);
    expect(build.order).not.toContain("activationGradient");
  });

  it("stays where somebody asks for the gradient before it", () => {
    const { build, made } = perceptron();
    const product = ofOp(build, "denseInputGradient").outputs.dx!;
    build.want(product, ...made).rewrite();
    expect(ofOp(build, "denseInputGradient").outputs).toEqual({ dx: product });
    expect(build.order).toContain("activationGradient");
  });

  it("stays where somebody else reads the gradient before it", () => {
    const { build, made } = perceptron();
    const { y: seen } = build.add(look, { x: ofOp(build, "denseInputGradient").outputs.dx });
    build.want(seen!, ...made).rewrite();
    expect(build.order).toContain("activationGradient");
  });

  it("does not ride where it is the output that is the gradient", () => {
    const build = new Build();
    const [dy, w, g] = [build.input("dy", [4, 5]), build.input("w", [3, 5]), build.input("g", [4, 3])];
    const { dx } = build.add("denseInputGradient", { dy, kernel: w });
    const { dx: z } = build.add("activationGradient", { dy: g, y: dx! }, { kind: "relu" });
    build.want(z!).rewrite();
    expect(build.order).toEqual(["denseInputGradient", "activationGradient"]);
  });

  it("sinks through a reshape to the kernel above it", () => {
    const build = new Build();
    const [dy, w] = [build.input("dy", [4, 5]), build.input("w", [12, 5])];
    const y = build.input("y", [4, 2, 2, 3]);
    const { dx } = build.add("denseInputGradient", { dy, kernel: w });
    const { y: images } = build.add("reshape", { x: dx! }, { shape: [4, 2, 2, 3] });
    const { dx: dz } = build.add("activationGradient", { dy: images!, y }, { kind: "relu" });
    build.want(dz!).rewrite();
    expect(build.order).toEqual(["reshape", "denseInputGradient", "reshape"]);
    expect(build.graph.nodes[1]!.attributes).toEqual({ gradientActivation: "relu" });
    const [view] = build.graph.nodes;
    expect(view!.inputs).toEqual({ x: y });
    expect(build.graph.nodes[1]!.inputs).toEqual({ dy, kernel: w, x: view!.outputs.y });
    expect(build.graph.nodes[2]!.outputs).toEqual({ y: dz });
  });

  it("does not sink through a reshape that somebody else reads", () => {
    const build = new Build();
    const [g, y] = [build.input("g", [4, 12]), build.input("y", [4, 2, 2, 3])];
    const { y: images } = build.add("reshape", { x: g }, { shape: [4, 2, 2, 3] });
    const { dx: dz } = build.add("activationGradient", { dy: images!, y }, { kind: "relu" });
    build.want(images!, dz!).rewrite();
    expect(build.order).toEqual(["reshape", "activationGradient"]);
  });
});

describe("sgd", () => {
  it("rides in the kernels that make the gradients", () => {
    const { build, step, parameters, loss } = perceptron();
    const rate = build.input("rate", [1]);
    step(() => rate);
    build.want(loss).rewrite();
    expect(build.order).not.toContain("sgd");
    const [first, second] = ["first", "second"].map((name) => named(build, `${name}/denseFilterGradient`));
    expect(first).toMatchObject({ updates: parameters.slice(0, 2), outputs: {}, attributes: { update: "sgd" } });
    expect(second).toMatchObject({ updates: parameters.slice(2), outputs: {} });
    expect(first!.inputs).toMatchObject({ kernel: parameters[0], bias: parameters[1], rate });
  });

  it("runs after everything that reads the parameters' old values", () => {
    const { build, step, loss } = perceptron();
    const rate = build.input("rate", [1]);
    step(() => rate);
    build.want(loss).rewrite();
    const names = build.graph.nodes.map(({ name }) => name);
    expect(names.indexOf("second/denseInputGradient")).toBeLessThan(names.indexOf("second/denseFilterGradient"));
    for (const [at, node] of build.graph.nodes.entries()) {
      for (const id of node.updates) {
        const later = build.graph.nodes.slice(at + 1).filter((node) => inputsOf(node).includes(id));
        expect(
          later.map(({ name }) => name),
          `after ${node.name}`,
        ).toEqual([]);
      }
    }
  });

  it("stays where a gradient is asked for, and for its layer alone", () => {
    const { build, step, made, loss } = perceptron();
    const rate = build.input("rate", [1]);
    step(() => rate);
    build.want(loss, made[1]!).rewrite();
    expect(build.graph.nodes.filter(({ op }) => op === "sgd").map(({ name }) => name)).toEqual(["step0", "step1"]);
    expect(named(build, "second/denseFilterGradient").attributes.update).toBe("sgd");
  });

  it("stays where two of one kernel's gradients have two rates", () => {
    const { build, step, loss } = perceptron();
    const rates = [build.input("rate", [1]), build.input("bias_rate", [1])];
    step((i) => rates[i % 2]!);
    build.want(loss).rewrite();
    expect(build.order.filter((op) => op === "sgd")).toHaveLength(4);
  });

  it("stays where a gradient is clipped first", () => {
    const { build, made, parameters, loss } = perceptron();
    const rate = build.input("rate", [1]);
    made.forEach((gradient, i) => {
      const clipped = i === 2 ? build.add(clip, { x: gradient }).y : gradient;
      build.add("sgd", { p: parameters[i]!, g: clipped!, rate }, {}, `step${i}`);
    });
    build.want(loss).rewrite();
    expect(build.graph.nodes.filter(({ op }) => op === "sgd").map(({ name }) => name)).toEqual(["step2", "step3"]);
  });

  it("stays where somebody else reads a gradient", () => {
    const { build, step, made, loss } = perceptron();
    const rate = build.input("rate", [1]);
    step(() => rate);
    const { y: seen } = build.add(look, { x: made[0]! });
    build.want(loss, seen!).rewrite();
    expect(build.graph.nodes.filter(({ op }) => op === "sgd").map(({ name }) => name)).toEqual(["step0", "step1"]);
  });

  it("stays where one parameter is used twice: its gradient is a sum", () => {
    const build = new Build();
    const [x, w, labels] = [build.input("x", [4, 3]), build.input("w", [3, 3]), build.input("labels", [4, 3])];
    const { y: h } = build.add("dense", { x, kernel: w }, {}, "first");
    const { y } = build.add("dense", { x: h!, kernel: w }, {}, "second");
    const { loss } = build.add("softmaxCrossEntropy", { x: y!, labels, state: build.graph.state });
    const [dw] = build.meanGradients(loss!, [w]);
    build.add("sgd", { p: w, g: dw!, rate: build.input("rate", [1]) });
    build.want(loss!).rewrite();
    expect(build.order.slice(-2)).toEqual(["add", "sgd"]);
    expect(build.order.filter((op) => op === "denseFilterGradient")).toHaveLength(2);
  });
});

describe("a change", () => {
  const chain = () => {
    const build = new Build();
    const x = build.input("x", [4]);
    const { y: a } = build.add("activation", { x }, { kind: "relu" }, "a");
    const { y: b } = build.add("activation", { x: a! }, { kind: "relu" }, "b");
    const { y: c } = build.add("activation", { x: b! }, { kind: "relu" }, "c");
    const { edit } = graphEdit(build.graph, "software");
    return { build, edit, x, a: a!, b: b!, c: c!, names: () => edit.nodes.map(({ name }) => name) };
  };

  it("puts the new nodes where the first of the old ones stood, and knows their tensors", () => {
    const { edit, x, a, b, c, names } = chain();
    const [first, , third] = edit.nodes;
    const d = edit.node(activation, "d", { x }, { kind: "tanh" });
    const e = edit.node(activationGradient, "e", { dy: d.outputs.y, y: a }, { kind: "tanh" }, { dx: c });
    edit.replace([third!, first!], [d, e]);
    expect(names()).toEqual(["d", "e", "b"]);
    expect(edit.producer(c)).toBe(e);
    expect(edit.producer(a)).toBeUndefined();
    expect(edit.readers(a).map(({ name }) => name)).toEqual(["e", "b"]);
    expect(edit.readers(b)).toEqual([]);
    edit.replace([e], []);
    expect(names()).toEqual(["d", "b"]);
    expect(edit.usedElsewhere(d.outputs.y, [])).toBe(false);
  });

  it("has the rules that looked at it asked again, the first rule first, and no other", () => {
    const asked: string[] = [];
    const noted = (rule: string, node: Node) => asked.push(`${rule} ${node.name}`);
    const made = (edit: GraphEdit, node: Node, name: string) =>
      edit.node(activation, name, { x: node.inputs.x! }, { kind: "relu" }, { y: node.outputs.y! });
    const looks: Rewrite = {
      op: "activation",
      apply: (edit, node) => {
        noted("looks", node);
        if (edit.producer(node.inputs.x!)?.name !== "new" || node.name === "last") return false;
        edit.replace([node], [made(edit, node, "last")]);
        return true;
      },
    };
    const changes: Rewrite = {
      op: "activation",
      apply: (edit, node) => {
        noted("changes", node);
        if (node.name !== "b") return false;
        edit.replace([node], [made(edit, node, "new")]);
        return true;
      },
    };
    const { build, c } = chain();
    build.want(c);
    const others: Rewrite = { op: "softmax", apply: () => expect.fail("No node is a softmax.") };
    withOps(
      ({ name }) => ({ rewrites: name === "activation" ? [others, { ...changes, late: true }, looks] : [] }),
      () => build.rewrite(),
    );
    expect(build.graph.nodes.map(({ name }) => name)).toEqual(["a", "new", "last"]);
    expect(asked).toEqual([
      "looks a",
      "looks b",
      "looks c",
      "changes a",
      "changes b",
      "looks new",
      "looks c",
      "looks last",
      "changes new",
      "changes last",
    ]);
  });
});

it("rewriting leaves the graph that it is given as it was", () => {
  const { build, step, loss } = perceptron();
  const rate = build.input("rate", [1]);
  step(() => rate);
  const { graph } = build.want(loss);
  const before = structuredClone({ ...graph, ops: [...graph.ops.keys()] });
  const made = rewrite(graph, { adapter: "gpu" });
  expect({ ...graph, ops: [...graph.ops.keys()] }).toEqual(before);
  expect(made.graph.nodes.map(({ op }) => op)).toContain("denseCrossEntropy");
  const tensors = made.graph.tensors.length;
  expect(lower(made.graph, { name: "test", adapter: "gpu" }).steps.length).toBeGreaterThan(0);
  expect(made.graph.tensors).toHaveLength(tensors);
});

describe("usedNodes", () => {
  it("drops what leads to no result, chains of it too, and keeps what updates", () => {
    const build = new Build();
    const [x, p, rate] = [build.input("x", [4]), build.input("p", [4]), build.input("rate", [1])];
    const { y: a } = build.add("activation", { x }, { kind: "relu" }, "wanted");
    const { y: b } = build.add("activation", { x: a! }, { kind: "relu" }, "unused");
    build.add("activation", { x: b! }, { kind: "relu" }, "unused too");
    const { y: g } = build.add("activation", { x }, { kind: "tanh" }, "for the update");
    build.add("sgd", { p, g: g!, rate }, {}, "update");
    build.want(a!);
    expect(usedNodes(build.graph).map(({ name }) => name)).toEqual(["wanted", "for the update", "update"]);
  });

  it("keeps a node of which one output is wanted", () => {
    const build = new Build();
    const { argmax } = build.add("maxPooling2d", { x: build.input("x", [1, 4, 4, 1]) }, pool);
    build.want(argmax!);
    expect(usedNodes(build.graph)).toEqual(build.graph.nodes);
  });

  it("is part of rewriting: the softmax under a loss goes", () => {
    const build = new Build();
    const [x, labels] = [build.input("x", [4, 3]), build.input("labels", [4, 3])];
    build.add("softmax", { x });
    const { loss } = build.add("softmaxCrossEntropy", { x, labels, state: build.graph.state });
    build.want(loss!).rewrite();
    expect(build.order).toEqual(["softmaxCrossEntropy"]);
  });
});

describe("inOrder", () => {
  const node = (name: string, inputs: number[], outputs: number[], updates: number[] = []): Node => {
    const named = (ids: number[]) => Object.fromEntries(ids.map((id) => [`t${id}`, id]));
    return { op: "test", name, inputs: named(inputs), outputs: named(outputs), updates, attributes: {} };
  };
  const names = (nodes: readonly Node[]) => inOrder(nodes).map(({ name }) => name);

  it("puts a node after what it reads, and otherwise keeps the order", () => {
    const nodes = [node("d", [4], [5]), node("a", [1], [2]), node("b", [1], [3]), node("c", [3], [4])];
    expect(names(nodes)).toEqual(["a", "b", "c", "d"]);
  });

  it("puts an update in place after all other readers", () => {
    const nodes = [node("update", [1, 2], [], [1]), node("a", [1], [3]), node("b", [3], [4]), node("c", [1, 4], [5])];
    expect(names(nodes)).toEqual(["a", "b", "c", "update"]);
  });

  it("keeps the order of two that update one tensor", () => {
    const nodes = [node("first", [1], [], [1]), node("second", [1], [], [1]), node("reader", [1], [2])];
    expect(names(nodes)).toEqual(["reader", "first", "second"]);
  });

  it("names the nodes of a cycle", () => {
    expect(() => inOrder([node("a", [2], [1]), node("b", [1], [2])])).toThrow(/cycle.*a, b/);
    // Each must come after the other has read the tensor that it changes.
    expect(() => inOrder([node("p", [1, 2], [], [1]), node("q", [1, 2], [], [2])])).toThrow(/cycle.*p, q/);
  });
});
