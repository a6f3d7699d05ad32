import { describe, expect, it } from "vitest";
import type { DType, TensorSpec } from "../../src/graph/graph.ts";
import { defineOp, makeNode, opNamed, opTable } from "../../src/graph/op.ts";
import { allOps } from "../support/ops.ts";
import { Build, failure } from "./building.ts";

type Shapes = readonly (readonly number[])[];

const specs = (shapes: Shapes, dtypes: readonly DType[] = []): TensorSpec[] =>
  shapes.map((shape, i) => ({ shape, dtype: dtypes[i] ?? "f32" }));

const infer = (op: string, shapes: Shapes, attributes: object = {}, dtypes: readonly DType[] = []) =>
  opNamed(allOps, op).infer(specs(shapes, dtypes), attributes as Record<string, unknown>, "node_7");

const valid = { strides: [1, 1], padding: "valid" };
const pool = { size: [2, 2], strides: [2, 2], padding: "valid" };
const images = [2, 9, 8, 3];

describe("shapes of outputs", () => {
  it.each<[string, Shapes, object, Shapes]>([
    ["reshape", [[2, 3, 4]], { shape: [2, 12] }, [[2, 12]]],
    [
      "add",
      [
        [2, 3],
        [2, 3],
      ],
      {},
      [[2, 3]],
    ],
    ["activation", [[2, 3]], { kind: "relu" }, [[2, 3]]],
    [
      "activationGradient",
      [
        [2, 3],
        [2, 3],
      ],
      { kind: "relu" },
      [[2, 3]],
    ],
    ["conv2d", [images, [3, 3, 3, 5], [5]], valid, [[2, 7, 6, 5]]],
    ["conv2d", [images, [3, 3, 3, 5]], { strides: [2, 3], padding: "same" }, [[2, 5, 3, 5]]],
    [
      "conv2d",
      [images, [2, 1, 3, 6]],
      { ...valid, pool: [2, 2] },
      [
        [2, 4, 4, 6],
        [2, 4, 4, 2],
      ],
    ],
    [
      "conv2d",
      [images, [3, 3, 3, 4]],
      { ...valid, pool: [4, 1] },
      [
        [2, 1, 6, 4],
        [2, 1, 6, 1],
      ],
    ],
    [
      "maxPooling2d",
      [images],
      pool,
      [
        [2, 4, 4, 3],
        [2, 4, 4, 3],
      ],
    ],
    ["averagePooling2d", [images], { ...pool, padding: "same" }, [[2, 5, 4, 3]]],
    [
      "matmul",
      [
        [4, 5],
        [5, 6],
      ],
      {},
      [[4, 6]],
    ],
    [
      "matmul",
      [
        [5, 4],
        [5, 6],
      ],
      { transposeA: true },
      [[4, 6]],
    ],
    [
      "matmul",
      [
        [4, 5],
        [6, 5],
      ],
      { transposeB: true },
      [[4, 6]],
    ],
    [
      "matmul",
      [
        [5, 4],
        [6, 5],
      ],
      { transposeA: true, transposeB: true },
      [[4, 6]],
    ],
    ["dense", [[4, 5], [5, 6], [6]], {}, [[4, 6]]],
    [
      "denseInputGradient",
      [
        [4, 6],
        [5, 6],
      ],
      {},
      [[4, 5]],
    ],
    ["denseFilterGradient", [[4, 5], [4, 6], [5]], { hasBias: true }, [[5, 6], [6]]],
    ["denseFilterGradient", [[4, 5], [4, 6], [5]], { hasBias: false }, [[5, 6]]],
    ["denseFilterGradient", [[4, 5], [4, 6], [5], [5, 6], [1]], { hasBias: false, update: "sgd" }, []],
    ["softmax", [[4, 10]], {}, [[4, 10]]],
    ["sgd", [[5, 6], [5, 6], [1]], {}, []],
  ])("%s of %j with %j is %j", (op, shapes, attributes, want) => {
    expect(infer(op, shapes, attributes).map(({ shape }) => shape)).toEqual(want);
  });

  it("have types: what counts is u32, the rest are floats", () => {
    const types = (made: readonly TensorSpec[]) => made.map(({ dtype }) => dtype);
    expect(types(infer("maxPooling2d", [images], pool))).toEqual(["f32", "u32"]);
    expect(types(infer("conv2d", [images, [2, 2, 3, 4]], { ...valid, pool: [2, 2] }))).toEqual(["f32", "u32"]);
    const loss = infer("softmaxCrossEntropy", [[4, 10], [4, 1], [5]], {}, ["f32", "u32", "u32"]);
    expect(types(loss)).toEqual(["f32", "u32", "f32"]);
    expect(loss.map(({ shape }) => shape)).toEqual([[4], [4], [4, 10]]);
    const gather = { batch: 4, sampleShape: [3, 2], labelShape: [1], labelDtype: "u32", shuffled: true, scale: 1 };
    const batch = infer("batchGather", [[5], [1, 3, 2], [1, 1], [1]], gather, ["u32", "u8", "u32", "u32"]);
    expect(batch).toEqual([
      { shape: [4, 3, 2], dtype: "f32" },
      { shape: [4, 1], dtype: "u32" },
    ]);
    expect(types(infer("reshape", [[6]], { shape: [2, 3] }, ["u32"]))).toEqual(["u32"]);
  });
});

describe("shapes that do not fit", () => {
  it.each<[string, Shapes, object, string[]]>([
    ["reshape", [[2, 3, 4]], { shape: [2, 11] }, ["[2, 3, 4]", "[2, 11]"]],
    [
      "add",
      [
        [2, 3],
        [3, 2],
      ],
      {},
      ["[2, 3]", "[3, 2]"],
    ],
    [
      "add",
      [
        [2, 3],
        [2, 3, 1],
      ],
      {},
      ["[2, 3]", "[2, 3, 1]"],
    ],
    [
      "conv2d",
      [
        [2, 9, 8],
        [3, 3, 3, 5],
      ],
      valid,
      ["[2, 9, 8]"],
    ],
    ["conv2d", [images, [3, 3, 4, 5]], valid, ["[3, 3, 4, 5]", "[2, 9, 8, 3]"]],
    ["conv2d", [images, [3, 3, 3]], valid, ["[3, 3, 3]"]],
    ["conv2d", [images, [3, 3, 3, 5], [6]], valid, ["[5]", "[6]"]],
    ["conv2d", [images, [3, 3, 3, 5], [5, 1]], valid, ["[5]", "[5, 1]"]],
    ["conv2d", [images, [10, 3, 3, 5]], valid, ["[10, 3]", "[9, 8, 3]"]],
    ["maxPooling2d", [[2, 9, 8]], pool, ["[2, 9, 8]"]],
    ["maxPooling2d", [[2, 1, 8, 3]], pool, ["[2, 2]", "[1, 8, 3]"]],
    ["averagePooling2d", [[2, 9]], pool, ["[2, 9]"]],
    ["averagePooling2d", [[2, 8, 1, 3]], pool, ["[2, 2]", "[8, 1, 3]"]],
    [
      "matmul",
      [
        [4, 5],
        [6, 5],
      ],
      {},
      ["[4, 5]", "[6, 5]"],
    ],
    [
      "matmul",
      [
        [4, 5],
        [5, 6],
      ],
      { transposeA: true },
      ["[4, 5] transposed", "[5, 6]"],
    ],
    [
      "matmul",
      [
        [4, 5, 1],
        [5, 6],
      ],
      {},
      ["[4, 5, 1]"],
    ],
    [
      "dense",
      [
        [4, 5],
        [6, 5],
      ],
      {},
      ["[4, 5]", "[6, 5]"],
    ],
    [
      "dense",
      [
        [4, 5, 5],
        [5, 6],
      ],
      {},
      ["[4, 5, 5]"],
    ],
    ["dense", [[4, 5], [5, 6], [5]], {}, ["[5, 6]", "bias [5]"]],
    [
      "dense",
      [
        [4, 5],
        [5, 6],
        [6, 2],
      ],
      {},
      ["bias [6, 2]"],
    ],
    ["softmaxCrossEntropy", [[4, 10], [4, 9], [5]], {}, ["[4, 10]", "[4, 9]"]],
    ["softmaxCrossEntropy", [[4, 10, 1], [4, 10], [5]], {}, ["[4, 10, 1]"]],
    ["sgd", [[5, 6], [6, 5], [1]], {}, ["[5, 6]", "[6, 5]"]],
  ])("%s of %j with %j names the node and what it got", (op, shapes, attributes, got) => {
    const { code, message } = failure(() => infer(op, shapes, attributes));
    expect(code).toBe("shape");
    expect(message).toContain('"node_7"');
    for (const text of got) expect(message).toContain(text);
  });

  it("softmaxCrossEntropy of class numbers wants them [batch, 1]", () => {
    const call = () => infer("softmaxCrossEntropy", [[4, 10], [4], [5]], {}, ["f32", "u32", "u32"]);
    const { code, message } = failure(call);
    expect(code).toBe("shape");
    for (const text of ['"node_7"', "[4, 1]", "[4]"]) expect(message).toContain(text);
  });

  it("an activation that there is not is named with its node", () => {
    const { code, message } = failure(() => infer("activation", [[2, 3]], { kind: "swish" }));
    expect(code).toBe("value");
    for (const text of ['"node_7"', '"swish"', '"relu"']) expect(message).toContain(text);
  });
});

describe("opTable", () => {
  const named = (name: string) => defineOp({ name, infer: () => [] });

  it("holds ops by name, in order", () => {
    expect([...opTable([named("b")], [named("a"), named("c")]).keys()]).toEqual(["b", "a", "c"]);
  });

  it("takes an op twice, but not two of one name", () => {
    const op = named("dense");
    expect(opTable([op], [op]).size).toBe(1);
    const { code, message } = failure(() => opTable([op], [named("dense")]));
    expect(code).toBe("value");
    expect(message).toContain('"dense"');
  });

  it("names an unknown op and lists those that there are", () => {
    const { message } = failure(() => opNamed(opTable([named("a"), named("b")]), "c"));
    expect(message).toContain('"c"');
    expect(message).toContain("a, b");
  });
});

describe("makeNode", () => {
  it("makes outputs by the shape rule, named after the node, and does not add it", () => {
    const build = new Build();
    const x = build.input("x", [2, 4, 4, 3]);
    const node = makeNode(build.ops, build.graph, { op: "maxPooling2d", name: "pool", inputs: [x], attributes: pool });
    expect(node.outputs.map((id) => build.graph.tensors[id])).toMatchObject([
      { name: "pool", shape: [2, 2, 2, 3], dtype: "f32", role: "scratch" },
      { name: "pool:1", shape: [2, 2, 2, 3], dtype: "u32", role: "scratch" },
    ]);
    expect(build.graph.nodes).toEqual([]);
    expect(node.updates).toEqual([]);
  });

  it("lists the tensors that change in place, and none for inputs that are not there", () => {
    const build = new Build();
    const [p, g, rate] = [build.input("p", [3]), build.input("g", [3]), build.input("rate", [1])];
    expect(makeNode(build.ops, build.graph, { op: "sgd", name: "step", inputs: [p, g, rate] }).updates).toEqual([p]);
    const { state } = build.graph;
    const advance = { op: "advance", name: "advance", attributes: { batch: 2 } };
    expect(makeNode(build.ops, build.graph, { ...advance, inputs: [state] }).updates).toEqual([state]);
    const [loss, hits, metrics] = ["loss", "hits", "metrics"].map((name) => build.input(name, [4]));
    const inputs = [state, loss!, hits!, metrics!];
    expect(makeNode(build.ops, build.graph, { ...advance, inputs }).updates).toEqual([state, metrics]);
  });

  it.each([
    [{ hasBias: true, update: "sgd" }, [5, 6]],
    [{ hasBias: false, update: "sgd" }, [5]],
    [{ hasBias: true }, []],
  ])("of a filter gradient with %j updates inputs by their place", (attributes, want) => {
    const build = new Build();
    const shapes = [[1, 6, 6, 2], [1, 4, 4, 3], [5], [1, 2, 2, 1], [3, 3, 2, 3], [3], [1]];
    const inputs = shapes.map((shape, i) => build.input(`in${i}`, shape));
    const all = { ...attributes, ...valid, kernelShape: [3, 3, 2, 3], pool: [2, 2] };
    const node = makeNode(build.ops, build.graph, { op: "conv2dFilterGradient", name: "f", inputs, attributes: all });
    // Tensor 0 is the state; input 4 is the kernel.
    expect(node.updates).toEqual(want);
  });
});
