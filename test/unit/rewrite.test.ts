import { describe, expect, it } from "vitest";
import { graphEdit } from "../../src/graph/edit.ts";
import { gradients } from "../../src/graph/gradients.ts";
import type { Node, TensorId } from "../../src/graph/graph.ts";
import type { Rewrite } from "../../src/graph/op.ts";
import { defineOp, opTable } from "../../src/graph/op.ts";
import { dropUnused, inOrder, rewrite } from "../../src/graph/rewrite.ts";
import { allOps } from "../support/ops.ts";
import { Build } from "./building.ts";

/** An op of a user that reads a tensor, and one that changes a gradient before the update. */
const look = defineOp({ name: "look", infer: ([x]) => [x!] });
const clip = defineOp({ name: "clip", infer: ([g]) => [g!] });
const ops = opTable([...allOps.values()], [look, clip]);

const valid = { strides: [1, 1], padding: "valid" };
const pool = { size: [2, 2], strides: [2, 2], padding: "valid" };

/** x -> dense -> relu -> dense -> loss, with gradients of all parameters. */
function perceptron() {
  const build = new Build(ops);
  const x = build.input("x", [4, 3]);
  const shapes = { w1: [3, 5], b1: [5], w2: [5, 2], b2: [2] };
  const [w1, b1, w2, b2] = Object.entries(shapes).map(([name, shape]) => build.input(name, shape)) as TensorId[];
  const [h] = build.add("dense", [x, w1!, b1!], {}, "first");
  const [y] = build.add("activation", [h!], { kind: "relu" }, "relu");
  const [logits] = build.add("dense", [y!, w2!, b2!], {}, "second");
  const labels = build.input("labels", [4, 1], "u32");
  const [loss] = build.add("softmaxCrossEntropy", [logits!, labels, build.graph.state], {}, "loss");
  const parameters = [w1!, b1!, w2!, b2!];
  const made = gradients(ops, build.graph, loss!, parameters);
  const step = (rate: (i: number) => TensorId) =>
    made.forEach((gradient, i) => {
      build.add("sgd", [parameters[i]!, gradient, rate(i)], {}, `step${i}`);
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
    const [h] = build.add(op, [build.input("x", x!), build.input("k", k!)], op === "dense" ? {} : valid);
    const [y] = build.add("activation", [h!], { kind: "tanh" });
    build.want(y!).rewrite();
    expect(build.order).toEqual([op]);
    expect(build.graph.nodes[0]).toMatchObject({ outputs: [y], attributes: { activation: "tanh" } });
  });

  it("stays where somebody else reads what it starts from", () => {
    const build = new Build(ops);
    const [h] = build.add("dense", [build.input("x", [4, 3]), build.input("w", [3, 5])]);
    const [y] = build.add("activation", [h!], { kind: "relu" });
    const [seen] = build.add("look", [h!]);
    build.want(y!, seen!).rewrite();
    expect(build.order).toEqual(["dense", "activation", "look"]);
  });

  it("stays where somebody asks for what it starts from", () => {
    const build = new Build();
    const [h] = build.add("dense", [build.input("x", [4, 3]), build.input("w", [3, 5])]);
    const [y] = build.add("activation", [h!], { kind: "relu" });
    build.want(h!, y!).rewrite();
    expect(build.order).toEqual(["dense", "activation"]);
  });

  it("rides alone: a second one stays a node of its own", () => {
    const build = new Build();
    const [h] = build.add("dense", [build.input("x", [4, 3]), build.input("w", [3, 5])]);
    const [y] = build.add("activation", [h!], { kind: "relu" });
    const [z] = build.add("activation", [y!], { kind: "tanh" });
    build.want(z!).rewrite();
    expect(build.order).toEqual(["dense", "activation"]);
    expect(build.graph.nodes.map(({ attributes }) => attributes)).toEqual([{ activation: "relu" }, { kind: "tanh" }]);
  });

  it("does not ride across a pooling, since it comes after it", () => {
    const build = new Build();
    const [h] = build.add("conv2d", [build.input("x", [1, 6, 6, 3]), build.input("k", [3, 3, 3, 5])], valid);
    const [p] = build.add("maxPooling2d", [h!], pool);
    const [y] = build.add("activation", [p!], { kind: "tanh" });
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
    expect(node.inputs.at(-1)).toBe(y);
    expect(build.order).not.toContain("activationGradient");
  });

  it("stays where somebody asks for the gradient before it", () => {
    const { build, made } = perceptron();
    const product = ofOp(build, "denseInputGradient").outputs[0]!;
    build.want(product, ...made).rewrite();
    expect(ofOp(build, "denseInputGradient").outputs).toEqual([product]);
    expect(build.order).toContain("activationGradient");
  });

  it("stays where somebody else reads the gradient before it", () => {
    const { build, made } = perceptron();
    const [seen] = build.add("look", ofOp(build, "denseInputGradient").outputs);
    build.want(seen!, ...made).rewrite();
    expect(build.order).toContain("activationGradient");
  });

  it("does not ride where it is the output that is the gradient", () => {
    const build = new Build();
    const [dy, w, g] = [build.input("dy", [4, 5]), build.input("w", [3, 5]), build.input("g", [4, 3])];
    const [dx] = build.add("denseInputGradient", [dy, w]);
    const [z] = build.add("activationGradient", [g, dx!], { kind: "relu" });
    build.want(z!).rewrite();
    expect(build.order).toEqual(["denseInputGradient", "activationGradient"]);
  });

  it("sinks through a reshape to the kernel above it", () => {
    const build = new Build();
    const [dy, w] = [build.input("dy", [4, 5]), build.input("w", [12, 5])];
    const y = build.input("y", [4, 2, 2, 3]);
    const [dx] = build.add("denseInputGradient", [dy, w]);
    const [images] = build.add("reshape", [dx!], { shape: [4, 2, 2, 3] });
    const [dz] = build.add("activationGradient", [images!, y], { kind: "relu" });
    build.want(dz!).rewrite();
    expect(build.order).toEqual(["reshape", "denseInputGradient", "reshape"]);
    expect(build.graph.nodes[1]!.attributes).toEqual({ gradientActivation: "relu" });
    const [view] = build.graph.nodes;
    expect(view!.inputs).toEqual([y]);
    expect(build.graph.nodes[1]!.inputs).toEqual([dy, w, view!.outputs[0]]);
    expect(build.graph.nodes[2]!.outputs).toEqual([dz]);
  });

  it("does not sink through a reshape that somebody else reads", () => {
    const build = new Build();
    const [g, y] = [build.input("g", [4, 12]), build.input("y", [4, 2, 2, 3])];
    const [images] = build.add("reshape", [g], { shape: [4, 2, 2, 3] });
    const [dz] = build.add("activationGradient", [images!, y], { kind: "relu" });
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
    expect(first).toMatchObject({ updates: parameters.slice(0, 2), outputs: [], attributes: { update: "sgd" } });
    expect(second).toMatchObject({ updates: parameters.slice(2), outputs: [] });
    expect(first!.inputs.slice(3)).toEqual([...parameters.slice(0, 2), rate]);
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
        const later = build.graph.nodes.slice(at + 1).filter(({ inputs }) => inputs.includes(id));
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
      const [clipped] = i === 2 ? build.add("clip", [gradient]) : [gradient];
      build.add("sgd", [parameters[i]!, clipped!, rate], {}, `step${i}`);
    });
    build.want(loss).rewrite();
    expect(build.graph.nodes.filter(({ op }) => op === "sgd").map(({ name }) => name)).toEqual(["step2", "step3"]);
  });

  it("stays where somebody else reads a gradient", () => {
    const { build, step, made, loss } = perceptron();
    const rate = build.input("rate", [1]);
    step(() => rate);
    const [seen] = build.add("look", [made[0]!]);
    build.want(loss, seen!).rewrite();
    expect(build.graph.nodes.filter(({ op }) => op === "sgd").map(({ name }) => name)).toEqual(["step0", "step1"]);
  });

  it("stays where one parameter is used twice: its gradient is a sum", () => {
    const build = new Build();
    const [x, w, labels] = [build.input("x", [4, 3]), build.input("w", [3, 3]), build.input("labels", [4, 3])];
    const [h] = build.add("dense", [x, w], {}, "first");
    const [y] = build.add("dense", [h!, w], {}, "second");
    const [loss] = build.add("softmaxCrossEntropy", [y!, labels, build.graph.state]);
    const [dw] = gradients(allOps, build.graph, loss!, [w]);
    build.add("sgd", [w, dw!, build.input("rate", [1])]);
    build.want(loss!).rewrite();
    expect(build.order.slice(-2)).toEqual(["add", "sgd"]);
    expect(build.order.filter((op) => op === "denseFilterGradient")).toHaveLength(2);
  });
});

describe("a change", () => {
  const chain = () => {
    const build = new Build();
    const x = build.input("x", [4]);
    const [a] = build.add("activation", [x], { kind: "relu" }, "a");
    const [b] = build.add("activation", [a!], { kind: "relu" }, "b");
    const [c] = build.add("activation", [b!], { kind: "relu" }, "c");
    const { edit } = graphEdit(build.ops, build.graph, "software");
    return { build, edit, x, a: a!, b: b!, c: c!, names: () => edit.graph.nodes.map(({ name }) => name) };
  };

  it("puts the new nodes where the first of the old ones stood, and knows their tensors", () => {
    const { edit, x, a, b, c, names } = chain();
    const [first, , third] = edit.graph.nodes;
    const d = edit.node("activation", "d", [x], { kind: "tanh" });
    const e = edit.node("activation", "e", [d.outputs[0]!, a], { kind: "tanh" }, [c]);
    edit.replace([third!, first!], [d, e]);
    expect(names()).toEqual(["d", "e", "b"]);
    expect(edit.producer(c)).toBe(e);
    expect(edit.producer(a)).toBeUndefined();
    expect(edit.readers(a).map(({ name }) => name)).toEqual(["e", "b"]);
    expect(edit.readers(b)).toEqual([]);
    edit.replace([e], []);
    expect(names()).toEqual(["d", "b"]);
    expect(edit.usedBeside(d.outputs[0]!, [])).toBe(false);
  });

  it("has the rules that looked at it asked again, the first rule first, and no other", () => {
    const asked: string[] = [];
    const noted = (rule: string, node: Node) => asked.push(`${rule} ${node.name}`);
    const looks: Rewrite = (edit, node) => {
      noted("looks", node);
      if (edit.producer(node.inputs[0]!)?.name !== "new" || node.name === "last") return false;
      edit.replace([node], [edit.node("activation", "last", node.inputs, { kind: "gone" }, node.outputs)]);
      return true;
    };
    const changes: Rewrite = (edit, node) => {
      noted("changes", node);
      if (node.name !== "b") return false;
      edit.replace([node], [edit.node("activation", "new", node.inputs, node.attributes, node.outputs)]);
      return true;
    };
    const ops = new Map([...allOps].map(([name, op]) => [name, { ...op, rewrites: [] as readonly Rewrite[] }]));
    ops.get("add")!.rewrites = [looks];
    ops.get("softmax")!.rewrites = [changes];
    const { build, c } = chain();
    build.want(c);
    rewrite(ops, build.graph);
    expect(build.graph.nodes.map(({ name }) => name)).toEqual(["a", "new", "last"]);
    expect(asked).toEqual([
      ...["looks a", "looks b", "looks c", "changes a", "changes b"],
      ...["looks new", "looks c", "looks last", "changes new", "changes last"],
    ]);
  });
});

describe("dropUnused", () => {
  it("drops what leads to no result, chains of it too, and keeps what updates", () => {
    const build = new Build();
    const [x, p, rate] = [build.input("x", [4]), build.input("p", [4]), build.input("rate", [1])];
    const [a] = build.add("activation", [x], { kind: "relu" }, "wanted");
    const [b] = build.add("activation", [a!], { kind: "relu" }, "unused");
    build.add("activation", [b!], { kind: "relu" }, "unused too");
    const [g] = build.add("activation", [x], { kind: "tanh" }, "for the update");
    build.add("sgd", [p, g!, rate], {}, "update");
    build.want(a!);
    dropUnused(build.graph);
    expect(build.graph.nodes.map(({ name }) => name)).toEqual(["wanted", "for the update", "update"]);
  });

  it("keeps a node of which one output is wanted", () => {
    const build = new Build();
    const [, argmax] = build.add("maxPooling2d", [build.input("x", [1, 4, 4, 1])], pool);
    build.want(argmax!);
    dropUnused(build.graph);
    expect(build.order).toEqual(["maxPooling2d"]);
  });

  it("is part of rewriting: the softmax under a loss goes", () => {
    const build = new Build();
    const [x, labels] = [build.input("x", [4, 3]), build.input("labels", [4, 3])];
    build.add("softmax", [x]);
    const [loss] = build.add("softmaxCrossEntropy", [x, labels, build.graph.state]);
    build.want(loss!).rewrite();
    expect(build.order).toEqual(["softmaxCrossEntropy"]);
  });
});

describe("inOrder", () => {
  const node = (name: string, inputs: number[], outputs: number[], updates: number[] = []): Node => {
    return { op: "test", name, inputs, outputs, updates, attributes: {} };
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
