import { describe, expect, it } from "vitest";
import { defineOp, dense, type Fusion, type LayerSpec, ops, sgd, typed } from "../../../src/index.ts";
import { trainingProgram } from "../../../src/program/programs.ts";
import { Build, networkOf } from "../../support/building.ts";
import { tanhLayer } from "../../support/extension.ts";
import { inputsOf, measuresOf } from "../../support/programs.ts";

const images = [2, 8, 8, 4];
const pooling = { size: [2, 2], strides: [2, 2], padding: "valid" };

/** An op on images that keeps their shape, or pools them, and its gradients: a user's convolution of some kind. */
function filterOps(forward: readonly Fusion[], toInput: readonly Fusion[], toFilter: readonly Fusion[]) {
  const inputGradient = defineOp({
    name: "filterInputGradient",
    inputs: ["dy", "kernel", "routes?", "x?"],
    outputs: ["dx"],
    attributes: typed<ops.Epilogue>(),
    infer: () => ({ dx: { shape: images, dtype: "f32" } }),
    fuses: toInput,
  });
  const filterGradient = defineOp({
    name: "filterGradient",
    inputs: ["x", "dy", "routes?", "kernel?", "bias?", "rate?"],
    outputs: ["dkernel?", "dbias?"],
    attributes: typed<ops.Epilogue & { readonly hasBias: boolean }>(),
    infer: (_, attributes) => ops.parameterGradients(attributes, [3, 3, 4]),
    updates: ["kernel", "bias"],
    fuses: toFilter,
  });
  return defineOp({
    name: "filter",
    inputs: ["x", "kernel"],
    outputs: ["y", "routes?"],
    attributes: typed<ops.Epilogue>(),
    infer: (_, { pool }) => ops.pooledOutputs(images, pool),
    fuses: forward,
    gradient: ({ gradients: { y: dy }, inputs: { x, kernel }, add }) => ({
      x: add(inputGradient, { dy: dy!, kernel }).dx,
      kernel: add(filterGradient, { x, dy: dy! }, { hasBias: false }).dkernel,
    }),
  });
}

/** An update of a user's, that can be made in place. */
const signStep = defineOp({
  name: "signStep",
  inputs: ["p", "g", "rate"],
  outputs: [],
  infer: () => ({}),
  updates: ["p"],
  inPlace: { library: { code: "fn update(p: Channels, g: Channels) -> Channels { return p; }" }, fits: () => true },
  rewrites: [ops.fuseUpdate("signStep")],
});

/** filter -> relu -> max pooling -> loss, its gradients and an update. */
function trained(...fuses: Parameters<typeof filterOps>) {
  const build = new Build();
  const filter = filterOps(...fuses);
  const [below, kernel, rate] = [build.input("below", images), build.input("k", [3, 3, 4]), build.input("rate", [1])];
  const { y: x } = build.add("activation", { x: below }, { kind: "tanh" }, "tanh");
  const { y: h } = build.add(filter, { x, kernel });
  const { y } = build.add("activation", { x: h }, { kind: "relu" }, "relu");
  const { y: p } = build.add("maxPooling2d", { x: y }, pooling);
  const { y: flat } = build.add("reshape", { x: p }, { shape: [2, 64] });
  const labels = build.input("labels", [2, 64]);
  const { loss } = build.add("softmaxCrossEntropy", { x: flat, labels, state: build.graph.state });
  const [dbelow, dkernel] = build.meanGradients(loss!, [below, kernel]);
  build.add(signStep, { p: kernel, g: dkernel, rate });
  build.want(loss!, dbelow!).rewrite();
  const node = (op: string) => build.graph.nodes.find((each) => each.op === op)!;
  return { build, x, kernel, rate, p, dbelow, node };
}

describe("an op that declares what its kernels have a place for", () => {
  it("has its activation, pooling, their gradients and the update moved there, whoever wrote it", () => {
    const { build, x, kernel, rate, p, dbelow, node } = trained(
      ["activation", "pooling"],
      ["unpooling", "derivative"],
      ["unpooling", "update"],
    );
    const ofLoss = ["reshape", "softmaxCrossEntropy"];
    expect(build.order.filter((op) => !ofLoss.includes(op))).toEqual([
      "activation",
      "filter",
      "activationGradient",
      "filterInputGradient",
      "filterGradient",
    ]);
    const { routes } = node("filter").outputs;
    expect(node("filter")).toMatchObject({ outputs: { y: p }, attributes: { activation: "relu", pool: [2, 2] } });
    expect(node("filterInputGradient")).toMatchObject({
      inputs: { kernel, routes, x },
      outputs: { dx: dbelow },
      attributes: { gradientActivation: "tanh", pool: [2, 2] },
    });
    expect(node("filterGradient")).toMatchObject({
      inputs: { x, routes, kernel, rate },
      outputs: {},
      updates: [kernel],
      attributes: { update: "signStep", pool: [2, 2] },
    });
  });

  it.each<[string, Parameters<typeof filterOps>, readonly string[]]>([
    ["nothing", [[], [], []], ["activation", "activation", "maxPooling2d", "signStep"]],
    ["an activation", [["activation"], [], []], ["activation", "maxPooling2d", "signStep"]],
    // A pooling moves as a whole: forward, and into each gradient.
    ["a pooling, but one gradient none", [["activation", "pooling"], ["unpooling"], []], ["maxPooling2d", "signStep"]],
    ["an update", [[], [], ["update"]], ["activation", "activation", "maxPooling2d"]],
  ])("keeps as nodes what it has no place for: it declares %s", (_, fuses, kept) => {
    const { build } = trained(...fuses);
    expect(build.order).toEqual(expect.arrayContaining([...kept]));
    for (const op of ["maxPooling2d", "signStep"]) expect(build.order.includes(op)).toBe(kept.includes(op));
  });
});

describe("an op that makes more than what is fused", () => {
  const images = (shape: readonly number[]) => ({ shape, dtype: "f32" as const });
  const two = defineOp({
    name: "two",
    inputs: ["x"],
    outputs: ["y", "routes?", "beside"],
    attributes: typed<Pick<ops.Epilogue, "activation" | "pool">>(),
    infer: ({ x }, { pool }) => ({ ...ops.pooledOutputs(x.shape, pool), beside: images([3]) }),
    fuses: ["activation", "pooling"],
  });
  const twoGradient = defineOp({
    name: "twoGradient",
    inputs: ["dy", "x?"],
    outputs: ["dx", "beside"],
    infer: ({ dy }) => ({ dx: dy, beside: images([3]) }),
    fuses: ["derivative"],
  });

  it("keeps its other outputs as an activation, a pooling or a derivative moves there", () => {
    const build = new Build();
    const made = build.add(two, { x: build.input("x", [2, 8, 8, 4]) });
    const { y } = build.add("activation", { x: made.y! }, { kind: "relu" });
    const { y: p } = build.add("maxPooling2d", { x: y }, { size: [2, 2], strides: [2, 2], padding: "valid" });
    const gradient = build.add(twoGradient, { dy: p });
    const { dx } = build.add(
      "activationGradient",
      { dy: gradient.dx, y: build.input("y", [2, 4, 4, 4]) },
      { kind: "tanh" },
    );
    build.want(dx!, made.beside!, gradient.beside!).rewrite();
    expect(build.order).toEqual(["two", "twoGradient"]);
    const [forward, backward] = build.graph.nodes;
    expect(forward!.outputs).toMatchObject({ y: p, beside: made.beside });
    expect(backward!.outputs).toEqual({ dx, beside: gradient.beside });
  });
});

it("an op on the library's product has its activation in the product's kernel", () => {
  const layers: LayerSpec[] = [{ ...tanhLayer(6), inputShape: [4] }, dense({ units: 3, activation: "softmax" })];
  const network = networkOf(layers);
  const { plan } = trainingProgram({
    network,
    capacity: 2,
    columns: inputsOf(network),
    measures: measuresOf(network),
    adapter: "software",
    choices: {},
    optimizer: sgd(),
  });
  const kernels = plan.steps.map(({ kernel }) => kernel);
  expect(kernels).not.toContain("activation");
  const [step] = plan.steps.filter(({ node }) => node === "tanh_layer");
  expect(step!.kernel).toBe("matmul");
  expect(step!.shader.code).toContain("tanh");
});
