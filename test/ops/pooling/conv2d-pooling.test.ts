import { describe, expect, it } from "vitest";
import { defineOp } from "../../../src/graph/op.ts";
import { type Node, outputsOf, type TensorId } from "../../../src/graph/tensor.ts";
import { Build } from "../../support/building.ts";

const look = defineOp({ name: "look", inputs: ["x"], outputs: ["y"], infer: ({ x }) => ({ y: x }) });

type Pair = readonly [number, number];

interface Case {
  readonly image?: readonly number[];
  readonly size?: Pair;
  readonly strides?: Pair;
  readonly padding?: "valid" | "same";
  /** None leaves the activation out. */
  readonly activation?: "relu" | undefined;
}

/** conv -> activation -> max pooling of x [2, 8, 8, 3], or of an image of another size. */
function forward({ image = [8, 8], size = [2, 2], strides = size, padding = "valid", ...rest }: Case = {}) {
  const activation = "activation" in rest ? rest.activation : "relu";
  const build = new Build();
  const x = build.input("x", [2, ...image, 3]);
  const [k, b] = [build.input("k", [3, 3, 3, 5]), build.input("b", [5])];
  const { y: h } = build.add("conv2d", { x, kernel: k, bias: b }, { strides: [1, 1], padding: "same" }, "conv");
  const y = activation ? build.add("activation", { x: h! }, { kind: activation }, "act").y : h;
  const { y: p, argmax } = build.add("maxPooling2d", { x: y! }, { size, strides, padding }, "pool");
  return { build, x, k, b, y: y!, p: p!, argmax: argmax! };
}

/** The same with a loss on top and the gradients of the kernel, the bias and x. */
function backward(test: Case = {}) {
  const made = forward(test);
  const { build, p, x, k, b } = made;
  const [batch, ...sample] = build.graph.tensors[p]!.shape;
  const features = sample.reduce((a, b) => a * b, 1);
  const { y: flat } = build.add("reshape", { x: p }, { shape: [batch, features] }, "flatten");
  const labels = build.input("labels", [2, features]);
  const { loss } = build.add("softmaxCrossEntropy", { x: flat!, labels, state: build.graph.state }, {}, "loss");
  const [dx, dk, db] = build.meanGradients(loss!, [x, k, b]) as [TensorId, TensorId, TensorId];
  return { ...made, loss: loss!, dx, dk, db };
}

const only = (build: Build, op: string): Node => {
  const found = build.graph.nodes.filter((node) => node.op === op);
  expect(found, op).toHaveLength(1);
  return found[0]!;
};
const fused = (build: Build) => only(build, "conv2d").attributes.pool !== undefined;

describe("a max pooling after a convolution", () => {
  it("rides in it, with its activation", () => {
    const { build, p } = forward();
    build.want(p).rewrite();
    expect(build.order).toEqual(["conv2d"]);
    const [conv] = build.graph.nodes;
    expect(conv).toMatchObject({ name: "conv", attributes: { activation: "relu", pool: [2, 2] } });
    expect(conv!.outputs.y).toBe(p);
    expect(build.graph.tensors[conv!.outputs.routes!]).toMatchObject({ shape: [2, 4, 4, 2], dtype: "u32" });
  });

  it.each<[string, Case]>([
    ["without an activation", { activation: undefined }],
    ["by windows of 1 x 4", { size: [1, 4] }],
    ["by windows of 4 x 1", { size: [4, 1] }],
    ["of an image that the windows do not divide", { image: [9, 7] }],
    ["with padding that is not needed", { padding: "same" }],
  ])("rides %s", (_, test) => {
    const { build, p } = forward(test);
    build.want(p).rewrite();
    expect(fused(build)).toBe(true);
  });

  it.each<[string, Case]>([
    ["its windows overlap", { size: [2, 2], strides: [1, 1] }],
    ["its windows overlap along one axis", { size: [2, 2], strides: [2, 1] }],
    ["its windows have gaps", { size: [2, 2], strides: [3, 3] }],
    ["its windows are of 9", { size: [3, 3] }],
    ["its windows are of 2", { size: [2, 1] }],
    ["a window reaches outside", { image: [9, 8], padding: "same" }],
  ])("stays where %s", (_, test) => {
    const { build, p } = forward(test);
    build.want(p).rewrite();
    expect(build.order).toEqual(["conv2d", "maxPooling2d"]);
    expect(fused(build)).toBe(false);
    const both = backward(test);
    both.build.want(both.dx, both.dk, both.db).rewrite();
    expect(fused(both.build)).toBe(false);
    expect(both.build.order).toContain("maxPooling2dGradient");
    expect(only(both.build, "conv2dFilterGradient").attributes.pool).toBeUndefined();
  });

  it.each(["y", "argmax"] as const)("stays where somebody asks for %s", (name) => {
    const made = forward();
    made.build.want(made.p, made[name]).rewrite();
    expect(made.build.order).toEqual(["conv2d", "maxPooling2d"]);
  });

  it("stays where somebody else reads what the convolution makes", () => {
    const { build, p, y } = forward();
    const { y: seen } = build.add(look, { x: y });
    build.want(p, seen!).rewrite();
    expect(build.order).toContain("maxPooling2d");
  });

  it("stays where two poolings read one convolution", () => {
    const { build, p, y } = forward();
    const { y: other } = build.add(
      "maxPooling2d",
      { x: y },
      { size: [2, 2], strides: [2, 2], padding: "valid" },
      "pool2",
    );
    build.want(p, other!).rewrite();
    expect(build.order).toEqual(["conv2d", "maxPooling2d", "maxPooling2d"]);
  });

  it("rides there as a mean, too", () => {
    const build = new Build();
    const [x, k] = [build.input("x", [2, 8, 8, 3]), build.input("k", [3, 3, 3, 5])];
    const { y: h } = build.add("conv2d", { x, kernel: k }, { strides: [1, 1], padding: "valid" });
    const { y: p } = build.add("averagePooling2d", { x: h! }, { size: [2, 2], strides: [2, 2], padding: "valid" });
    build.want(p!).rewrite();
    expect(build.order).toEqual(["conv2d"]);
    expect(build.graph.nodes[0]).toMatchObject({ attributes: { pool: [2, 2], average: true } });
    expect(build.graph.nodes[0]!.outputs.y).toBe(p);
  });
});

describe("its gradient", () => {
  it("rides in the convolution's, which read the pooled gradient and the winners", () => {
    const { build, loss, x, k, p, dx, dk, db } = backward();
    build.want(loss, dx, dk, db).rewrite();
    expect(build.order.filter((op) => op !== "reshape")).toEqual([
      "conv2d",
      "softmaxCrossEntropy",
      "activationGradient",
      "conv2dInputGradient",
      "conv2dFilterGradient",
    ]);
    const { routes } = only(build, "conv2d").outputs;
    // The derivative is taken where the pooling is, at the pooled output; here below the flatten's gradient.
    const derivative = only(build, "activationGradient");
    const viewed = build.graph.nodes.find((node) => outputsOf(node).includes(derivative.inputs.y!));
    expect(viewed?.op === "reshape" ? viewed.inputs.x : derivative.inputs.y).toBe(p);
    const toInput = only(build, "conv2dInputGradient");
    const toFilter = only(build, "conv2dFilterGradient");
    const incoming = toInput.inputs.dy!;
    expect(build.graph.tensors[incoming]!.shape).toEqual(build.graph.tensors[p]!.shape);
    expect(toInput).toMatchObject({
      inputs: { dy: incoming, kernel: k, routes },
      outputs: { dx },
      attributes: { pool: [2, 2] },
    });
    expect(toFilter).toMatchObject({
      inputs: { x, dy: incoming, state: build.graph.state, routes },
      outputs: { dkernel: dk, dbias: db },
      attributes: { pool: [2, 2] },
    });
  });

  it("rides without an activation too", () => {
    const { build, loss, dx, dk, db } = backward({ activation: undefined });
    build.want(loss, dx, dk, db).rewrite();
    expect(build.order.filter((op) => op !== "reshape")).toEqual([
      "conv2d",
      "softmaxCrossEntropy",
      "conv2dInputGradient",
      "conv2dFilterGradient",
    ]);
  });

  it.each([
    ["asks for the gradient before the pooling", "maxPooling2dGradient"],
    ["asks for the gradient before the activation", "activationGradient"],
  ])("stays where somebody %s", (_, op) => {
    const { build, dx, dk, db } = backward();
    build.want(only(build, op).outputs.dx!, dx, dk, db).rewrite();
    expect(build.order).toContain("maxPooling2dGradient");
    expect(fused(build)).toBe(false);
    expect(only(build, "conv2dInputGradient").attributes.pool).toBeUndefined();
  });

  it("stays where another op reads the gradient that reaches the convolution", () => {
    const { build, dx, dk, db } = backward();
    const { y: seen } = build.add(look, { x: only(build, "activationGradient").outputs.dx! });
    build.want(seen!, dx, dk, db).rewrite();
    expect(fused(build)).toBe(false);
    expect(build.order).toContain("maxPooling2dGradient");
  });

  it("stays where an op of another kind reads the winners", () => {
    const { build, p, argmax } = forward();
    const { y: seen } = build.add(look, { x: argmax }, {}, "look");
    build.want(p, seen!).rewrite();
    expect(fused(build)).toBe(false);
    expect(build.order).toContain("look");
  });

  it("stays where the winners place something that a filter gradient takes as its x", () => {
    const { build, p, argmax } = forward();
    const pooling = { size: [2, 2], strides: [2, 2], padding: "valid", inputShape: [2, 8, 8, 5] };
    const { dx: placed } = build.add("maxPooling2dGradient", { dy: p, argmax }, pooling, "unpooling");
    const dY = build.input("dY", [2, 8, 8, 5]);
    const filter = { strides: [1, 1], padding: "same", kernelShape: [3, 3, 5, 5], hasBias: false };
    const { dkernel: dk } = build.add(
      "conv2dFilterGradient",
      { x: placed!, dy: dY, state: build.graph.state },
      filter,
      "decoder",
    );
    build.want(dk!).rewrite();
    expect(fused(build)).toBe(false);
    expect(build.lower().steps.length).toBeGreaterThan(0);
  });

  it("lets an activation below and the update ride along", () => {
    const { build, dx, dk, db, k, b, loss } = backward();
    const below = build.input("below", [2, 8, 8, 3]);
    const rate = build.input("rate", [1]);
    const { dx: dz } = build.add(
      "activationGradient",
      { dy: dx, y: below },
      { kind: "tanh" },
      "below/activationGradient",
    );
    build.add("sgd", { p: k, g: dk, rate }, {}, "k/sgd");
    build.add("sgd", { p: b, g: db, rate }, {}, "b/sgd");
    build.want(loss, dz!).rewrite();
    const { routes } = only(build, "conv2d").outputs;
    const toInput = only(build, "conv2dInputGradient");
    expect(toInput.attributes).toMatchObject({ pool: [2, 2], gradientActivation: "tanh" });
    expect(toInput.inputs).toMatchObject({ kernel: k, routes, x: below });
    const toFilter = only(build, "conv2dFilterGradient");
    expect(toFilter.attributes).toMatchObject({ pool: [2, 2], update: "sgd" });
    expect(toFilter.inputs).toMatchObject({ routes, kernel: k, bias: b, rate });
    expect(toFilter.updates).toEqual([k, b]);
    expect(build.graph.nodes.indexOf(toInput)).toBeLessThan(build.graph.nodes.indexOf(toFilter));
    expect(build.lower().steps.length).toBeGreaterThan(0);
  });
});
