import { describe, expect, it } from "vitest";
import { addNode, makeNode } from "../../src/graph/graph.ts";
import { defineOp } from "../../src/graph/op.ts";
import { type DType, outputsOf, type TensorId, type TensorSpec } from "../../src/graph/tensor.ts";
import { conv2d } from "../../src/ops/conv2d/conv2d.ts";
import { dense } from "../../src/ops/dense/dense.ts";
import { Build, failure } from "../support/building.ts";
import { byInput, opFor } from "../support/ops.ts";

type Shapes = readonly (readonly number[])[];

/** The outputs, in the order of their names, for inputs in theirs. */
function infer(op: string, shapes: Shapes, attributes: object = {}, dtypes: readonly DType[] = []): TensorSpec[] {
  const specs = shapes.map((shape, i): TensorSpec => ({ shape, dtype: dtypes[i] ?? "f32" }));
  const made = opFor(op).infer(byInput(op, specs) as Record<string, TensorSpec>, { ...attributes }, "node_7");
  return Object.values(made).filter((spec) => spec !== undefined);
}

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
    ["conv2d", [images, [3, 3, 5]], valid, [[2, 9, 6, 5]]],
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

  it("of a cross-entropy are each row's loss and, where they are wanted, its hits and the gradient", () => {
    const made = (attributes: object, labels: Shapes[number] = [4, 1], dtype: DType = "u32") =>
      infer("softmaxCrossEntropy", [[4, 10], labels, [5]], attributes, ["f32", dtype, "u32"]);
    const [rows, gradient] = [
      { shape: [4], dtype: "f32" },
      { shape: [4, 10], dtype: "f32" },
    ];
    expect(made({})).toEqual([rows]);
    expect(made({}, [4, 10], "f32")).toEqual([rows]);
    expect(made({ hasHits: true })).toEqual([rows, rows]);
    expect(made({ weight: 0 })).toEqual([rows, gradient]);
    expect(made({ hasHits: true, weight: 0.5 })).toEqual([rows, rows, gradient]);
  });

  it("have types: what counts is u32, the rest are floats", () => {
    const types = (made: readonly TensorSpec[]) => made.map(({ dtype }) => dtype);
    expect(types(infer("maxPooling2d", [images], pool))).toEqual(["f32", "u32"]);
    expect(types(infer("conv2d", [images, [2, 2, 3, 4]], { ...valid, pool: [2, 2] }))).toEqual(["f32", "u32"]);
    const gather = (sampleShape: readonly number[], dtype: DType, source: DType) =>
      infer("batchGather", [[5], [1, ...sampleShape], [1]], { batch: 4, sampleShape, dtype, scale: 1 }, [
        "u32",
        source,
      ]);
    expect(gather([3, 2], "f32", "u8")).toEqual([{ shape: [4, 3, 2], dtype: "f32" }]);
    expect(gather([1], "u32", "u32")).toEqual([{ shape: [4, 1], dtype: "u32" }]);
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
    ["conv2d", [images, [3, 3]], valid, ["[3, 3]"]],
    ["conv2d", [images, [3, 4, 3]], valid, ["[3, 4, 3]"]],
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
        [4, 5, 4],
        [5, 6],
      ],
      {},
      ["[4, 5, 4]"],
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

describe("the ops of a graph", () => {
  const named = (name: string) => defineOp({ name, inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });
  const ops = { a: named("a"), b: named("b") };

  it("come with its nodes, by name, in order", () => {
    const build = new Build();
    const x = build.input("x", [2]);
    for (const op of [ops.b, ops.a, ops.b]) build.addTyped(op, { x });
    expect([...build.graph.ops.keys()]).toEqual(["b", "a"]);
  });

  it("are not two of one name", () => {
    const build = new Build();
    const x = build.input("x", [2]);
    build.addTyped(ops.a, { x });
    const { code, message } = failure(() => build.addTyped(named("a"), { x }));
    expect(code).toBe("value");
    expect(message).toBe('There are two ops named "a". Rename one of them.');
    expect(build.graph.nodes).toHaveLength(1);
  });

  it.each([undefined, "dense", {}, { name: "dense", infer: () => [] }])(
    "have a name, inputs, outputs and a shape rule: %o is none",
    (op) => {
      const build = new Build();
      const { code, message } = failure(() => build.addTyped(op as never, {} as never));
      expect(code).toBe("value");
      expect(message).toContain("An op must have a name, inputs, outputs and infer(), got ");
    },
  );
});

describe("the names of inputs and outputs", () => {
  const given = (inputs: object) => {
    const build = new Build();
    const [x, kernel] = [build.input("x", [2, 3]), build.input("kernel", [3, 4])];
    return () => addNode(build.graph, "layer", dense, { x, kernel, ...inputs });
  };

  it("are checked where no types are: what is missing, unknown or no object", () => {
    const takes = '"layer": op "dense" takes { x, kernel, bias? }, got ';
    expect(failure(given({ kernel: undefined })).message).toBe(`${takes}{ x }.`);
    expect(failure(given({ weights: 1 })).message).toBe(`${takes}{ x, kernel, weights }.`);
    const build = new Build();
    for (const [inputs, names] of [
      [undefined, ""],
      [null, ""],
      [[0, 0], "0, 1"],
      [5, ""],
    ] as const) {
      const { code, message } = failure(() => addNode(build.graph, "layer", dense, inputs as never));
      expect(code).toBe("value");
      expect(message).toBe(`${takes}{ ${names} }.`);
    }
    expect(build.graph.nodes).toEqual([]);
  });

  it("of what infer gives are checked too", () => {
    const wrong = defineOp({ name: "wrong", inputs: [], outputs: ["y"], infer: () => ({ z: 1 }) as never });
    const { message } = failure(() => addNode(new Build().graph, "node", wrong, {}));
    expect(message).toBe('"node": infer() of op "wrong" gives { y }, got { z }.');
  });

  it("stand in the op's order, whatever order they are given in", () => {
    const build = new Build();
    const [x, kernel, bias] = [build.input("x", [2, 3]), build.input("kernel", [3, 4]), build.input("bias", [4])];
    addNode(build.graph, "layer", dense, { bias, kernel, x });
    expect(Object.keys(build.graph.nodes[0]!.inputs)).toEqual(["x", "kernel", "bias"]);
  });

  it("have types", () => {
    const build = new Build();
    const [x, kernel] = [build.input("x", [2, 3]), build.input("kernel", [3, 4])];
    const checked = (): readonly TensorId[] => {
      const { y } = addNode(build.graph, "layer", dense, { x, kernel });
      const made = addNode(build.graph, "layer", conv2d, { x, kernel }, { strides: [1, 1], padding: "valid" });
      // @ts-expect-error: the kernel is missing.
      addNode(build.graph, "layer", dense, { x });
      // @ts-expect-error: there is no such input.
      addNode(build.graph, "layer", dense, { x, kernel, weights: kernel });
      // @ts-expect-error: the attributes are missing.
      addNode(build.graph, "layer", conv2d, { x, kernel });
      // @ts-expect-error: there is no such output.
      addNode(build.graph, "layer", dense, { x, kernel }).z;
      // @ts-expect-error: routes may be missing.
      return [y, made.y, made.routes];
    };
    expect(checked).toBeTypeOf("function");
  });
});

describe("makeNode", () => {
  it("makes outputs by the shape rule, named after the node, and does not add it", () => {
    const build = new Build();
    const x = build.input("x", [2, 4, 4, 3]);
    const node = makeNode(build.graph, opFor("maxPooling2d"), { name: "pool", inputs: { x }, attributes: pool });
    expect(outputsOf(node).map((id) => build.graph.tensors[id])).toMatchObject([
      { name: "pool", shape: [2, 2, 2, 3], dtype: "f32", role: "scratch" },
      { name: "pool:1", shape: [2, 2, 2, 3], dtype: "u32", role: "scratch" },
    ]);
    expect(build.graph.nodes).toEqual([]);
    expect(node.updates).toEqual([]);
  });

  it("lists the tensors that change in place, and none for inputs that are not there", () => {
    const build = new Build();
    const updates = (op: string, inputs: Record<string, TensorId>, attributes = {}) =>
      makeNode(build.graph, opFor(op), { name: "node", inputs, attributes }).updates;
    const [p, g, rate, v] = ["p", "g", "rate", "v"].map((name) => build.input(name, [3])) as TensorId[];
    expect(updates("sgd", { p: p!, g: g!, rate: rate! })).toEqual([p]);
    expect(updates("sgd", { p: p!, g: g!, rate: rate!, v: v! })).toEqual([p, v]);
    const { state } = build.graph;
    expect(updates("advance", { state }, { batch: 2 })).toEqual([state]);
    expect(updates("advance", { state, values_0: p!, values_1: g!, means: v! }, { batch: 2 })).toEqual([state, v]);
  });

  it("of a filter gradient updates the parameters that there are", () => {
    const build = new Build();
    const shapes = { x: [1, 6, 6, 2], dy: [1, 4, 4, 3], state: [5], kernel: [3, 3, 2, 3], bias: [3], rate: [1] };
    const ids = Object.entries(shapes).map(([name, shape]) => [name, build.input(name, shape)]);
    const inputs = Object.fromEntries(ids) as Record<string, TensorId>;
    const attributes = { hasBias: true, update: "sgd", ...valid, kernelShape: [3, 3, 2, 3] };
    const updates = (given: Record<string, TensorId>) =>
      makeNode(build.graph, opFor("conv2dFilterGradient"), { name: "f", inputs: given, attributes }).updates;
    const { bias, ...others } = inputs;
    expect(updates(inputs)).toEqual([inputs.kernel, bias]);
    expect(updates(others)).toEqual([inputs.kernel]);
    const { kernel, rate, ...rest } = others;
    expect(updates(rest)).toEqual([]);
  });
});
