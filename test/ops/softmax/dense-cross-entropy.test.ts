import { describe, expect, it } from "vitest";
import { inputsOf, type TensorId } from "../../../src/graph/tensor.ts";
import { workgroupBytes } from "../../../src/wgsl/merge-kernels.ts";
import { Build } from "../../support/building.ts";

/** x -> dense -> relu -> dense -> loss, with all parameters' gradients and updates. */
function classifier({ units = 5, activation = false } = {}) {
  const build = new Build();
  const x = build.input("x", [4, 3]);
  const shapes = { w1: [3, 7], b1: [7], w2: [7, units], b2: [units], rate: [1] };
  const [w1, b1, w2, b2, rate] = Object.entries(shapes).map(([name, shape]) => build.input(name, shape)) as TensorId[];
  const { y: h } = build.add("dense", { x, kernel: w1!, bias: b1! }, {}, "first");
  const { y } = build.add("activation", { x: h! }, { kind: "relu" }, "relu");
  const { y: last } = build.add("dense", { x: y!, kernel: w2!, bias: b2! }, {}, "second");
  const logits = activation ? build.add("activation", { x: last! }, { kind: "tanh" }, "tanh").y! : last!;
  // The model's own softmax, which training does not look at.
  build.add("softmax", { x: logits }, {}, "softmax");
  const labels = build.input("labels", [4, 1], "u32");
  const rows = { x: logits, labels, state: build.graph.state };
  const { loss } = build.add("softmaxCrossEntropy", rows, {}, "loss");
  const { y: hits } = build.add("accuracy", rows);
  const parameters = [w1!, b1!, w2!, b2!];
  const made = build.meanGradients(loss!, parameters);
  made.forEach((gradient, i) => {
    build.add("sgd", { p: parameters[i]!, g: gradient, rate: rate! }, {}, `step${i}`);
  });
  const dX = build.graph.nodes.find(({ op }) => op === "softmaxCrossEntropyGradient")!.outputs.dx!;
  return { build, y: y!, logits, loss: loss!, hits: hits!, dX, w2: w2!, b2: b2!, labels };
}

describe("the last dense layer and its loss", () => {
  it("are one on a GPU, with the gradient of the layer's input, before the parameters change", () => {
    const { build, y, loss, hits, dX, w2, b2, labels } = classifier();
    build.want(loss, hits).rewrite({ adapter: "gpu" });
    expect(build.order).toEqual(["dense", "denseCrossEntropy", "denseFilterGradient", "denseFilterGradient"]);
    const head = build.graph.nodes[1]!;
    expect(head.inputs).toEqual({ x: y, kernel: w2, bias: b2, labels, state: build.graph.state });
    expect(head.outputs).toMatchObject({ loss, hits, dy: dX });
    expect(head.attributes).toMatchObject({ inputGradient: true, gradientActivation: "relu" });
    const reader = build.graph.nodes.find((node) => inputsOf(node).includes(head.outputs.dx!));
    expect(reader?.name).toBe("first/denseFilterGradient");
  });

  it("make no gradient of an input that nobody wants", () => {
    const build = new Build();
    const [x, w, labels] = [build.input("x", [4, 3]), build.input("w", [3, 5]), build.input("labels", [4, 5])];
    const { y: logits } = build.add("dense", { x, kernel: w });
    const { loss } = build.add("softmaxCrossEntropy", { x: logits!, labels, state: build.graph.state });
    build.want(loss!).rewrite({ adapter: "gpu" });
    expect(build.order).toEqual(["denseCrossEntropy"]);
    const [head] = build.graph.nodes;
    expect(head!.attributes).toEqual({ inputGradient: false });
    expect(Object.keys(head!.inputs)).not.toContain("bias");
    expect(Object.keys(head!.outputs)).toEqual(["loss"]);
  });

  it.each([
    ["on processors", () => classifier(), "software", false],
    ["where somebody wants to see the logits", () => classifier(), "gpu", true],
    ["where the layer has an activation", () => classifier({ activation: true }), "gpu", false],
    ["where there are too many units for a row's sums to fit", () => classifier({ units: 33 }), "gpu", false],
  ] as const)("stay apart %s", (_, make, adapter, seen) => {
    const { build, loss, logits } = make();
    build.want(loss, ...(seen ? [logits] : [])).rewrite({ adapter });
    expect(build.order).toContain("softmaxCrossEntropy");
    expect(build.order).not.toContain("denseCrossEntropy");
  });

  it.each([
    [9, ["dense_cross_entropy"]],
    [8, ["dense_cross_entropy", "matmul"]],
  ])("are, where a shader binds %i buffers, the kernels %j", (most, kernels) => {
    const { build, loss, hits } = classifier();
    build.want(loss, hits).rewrite({ adapter: "gpu" });
    const limits = { maxStorageBuffersPerShaderStage: most, maxComputeWorkgroupStorageSize: -1 };
    const { steps } = build.lower({ adapter: "gpu", limits });
    expect(steps.filter(({ node }) => node === "loss").map(({ kernel }) => kernel)).toEqual(kernels);
    for (const { shader } of steps) expect(shader.bindings.length).toBeLessThanOrEqual(most);
  });
});

describe("the lanes of a row", () => {
  const shaderOf = (units: number, inputs: number) => {
    const build = new Build();
    const shapes = { x: [4, inputs], kernel: [inputs, units], bias: [units], labels: [4, units] };
    const ids = Object.entries(shapes).map(([name, shape]) => [name, build.input(name, shape)]);
    const given = { ...Object.fromEntries(ids), state: build.graph.state };
    build.want(...Object.values(build.add("denseCrossEntropy", given, { inputGradient: true })));
    const limits = { maxStorageBuffersPerShaderStage: 9, maxComputeWorkgroupStorageSize: -1 };
    return build.lower({ adapter: "gpu", limits }).steps[0]!.shader;
  };

  it.each([
    [10, 1000, 256],
    [32, 1000, 64],
    [16, 1000, 128],
    [4, 1000, 256],
    [10, 200, 128],
    [10, 65, 64],
    [10, 20, 64],
    [1, 1, 64],
  ])("are, of %i units and %i inputs, %i: one an input, with room for their sums", (units, inputs, lanes) => {
    expect(shaderOf(units, inputs).workgroupSize).toEqual([lanes, 1, 1]);
  });

  it("are at least the classes, and fit in a workgroup of every device, whatever the sizes", () => {
    for (let units = 1; units <= 32; units++) {
      for (const inputs of [1, 64, 100, 128, 255, 256, 4096]) {
        const { workgroupSize, code } = shaderOf(units, inputs);
        const [lanes] = workgroupSize;
        expect([64, 128, 256]).toContain(lanes);
        expect(workgroupBytes(code)).toBeLessThanOrEqual(16384);
        expect(workgroupBytes(code)).toBe(16 * Math.ceil(units / 4) * (lanes! + 1));
      }
    }
  });
});
