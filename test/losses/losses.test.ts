import { describe, expect, it } from "vitest";
import { producerOf, tensorOf } from "../../src/graph/graph.ts";
import type { TensorId } from "../../src/graph/tensor.ts";
import { conv2d, sgd } from "../../src/index.ts";
import { lossNamed } from "../../src/losses/losses.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { Build, failure, networkOf } from "../support/building.ts";
import { measuresOf } from "../support/programs.ts";

const rows = lossNamed("categoricalCrossentropy");
const classes = lossNamed("sparseCategoricalCrossentropy");

const oneHot = (count: number) =>
  ({ shape: [count], dtype: "f32", scale: undefined, largestClass: undefined }) as const;
const numbers = (largestClass: number) => ({ shape: [1], dtype: "u32", scale: undefined, largestClass }) as const;

describe("lossNamed", () => {
  it.each(["mse", "categorical_crossentropy", undefined, 3])("refuses %o and lists the names", (name) => {
    const { code, message } = failure(() => lossNamed(name));
    expect(code).toBe("value");
    for (const text of ["compile: loss", '"categoricalCrossentropy"', '"sparseCategoricalCrossentropy"']) {
      expect(message).toContain(text);
    }
  });
});

describe("labels", () => {
  it("are rows of weights, or class numbers", () => {
    expect(rows.labels([10])).toEqual({ shape: [10], dtype: "f32" });
    expect(classes.labels([10])).toEqual({ shape: [1], dtype: "u32" });
  });

  it("that suit the loss are taken", () => {
    expect(() => rows.check(oneHot(10), [10])).not.toThrow();
    expect(() => classes.check(numbers(9), [10])).not.toThrow();
    expect(() => classes.check(numbers(0), [10])).not.toThrow();
  });

  it("that are class numbers do not suit rows of weights: the other loss or oneHot() does", () => {
    const { code, message } = failure(() => rows.check(numbers(9), [10]));
    expect(code).toBe("value");
    for (const text of ["categoricalCrossentropy", "sparseCategoricalCrossentropy", "oneHot(y, 10)", "[samples, 10]"]) {
      expect(message).toContain(text);
    }
  });

  it("must have a weight for each output", () => {
    const { code, message } = failure(() => rows.check(oneHot(9), [10]));
    expect(code).toBe("shape");
    for (const text of ["10 classes", "y has 9", "[samples, 10]", "[samples, 9]"]) expect(message).toContain(text);
  });

  it("of a model with one output: two classes want two", () => {
    for (const check of [
      () => rows.check(numbers(1), [1]),
      () => rows.check(oneHot(2), [1]),
      () => classes.check(numbers(1), [1]),
    ]) {
      const { message } = failure(check);
      expect(message).toContain("has one class (two classes want units: 2)");
      expect(message).not.toContain("oneHot(");
    }
  });

  it("that are rows do not suit class numbers", () => {
    const { code, message } = failure(() => classes.check(oneHot(10), [10]));
    expect(code).toBe("value");
    for (const text of ['"sparseCategoricalCrossentropy"', '"categoricalCrossentropy"', "[samples, 10]"]) {
      expect(message).toContain(text);
    }
  });

  it("that are no class numbers, or weights below 0, are told with their place", () => {
    const notClass = { ...oneHot(1), notClass: { at: 4, value: 0.5 } };
    expect(failure(() => classes.check(notClass, [10]))).toMatchObject({
      code: "value",
      message: expect.stringMatching(/class numbers in y, whole and at least 0, got 0.5 as label 4/),
    });
    const negative = { ...oneHot(10), negative: { at: 23, value: -1 } };
    expect(failure(() => rows.check(negative, [10]))).toMatchObject({
      code: "value",
      message: expect.stringMatching(/weights of at least 0 in y, got -1 in row 2, class 3/),
    });
  });

  it("of more axes suit neither", () => {
    const images = { ...oneHot(10), shape: [10, 2] };
    expect(failure(() => rows.check(images, [10]))).toMatchObject({ code: "shape" });
    expect(failure(() => classes.check(images, [10]))).toMatchObject({ code: "value" });
  });

  it("must be of a class that the model has", () => {
    const { code, message } = failure(() => classes.check(numbers(10), [10]));
    expect(code).toBe("value");
    for (const text of ["10 classes", "[0, 10)", "holds 10"]) expect(message).toContain(text);
  });
});

it("an output of more axes is refused as the model is compiled, before there are data", () => {
  const network = networkOf([conv2d({ filters: 2, kernelSize: 1, activation: "softmax", inputShape: [4, 4, 1] })]);
  const options = { network, measures: measuresOf(network), optimizer: sgd(), choices: {}, memory: "fast" } as const;
  expect(failure(() => trainingProgram({ ...options, capacity: 1, adapter: "software" }))).toMatchObject({
    code: "shape",
    message: expect.stringMatching(/wants an output of \[batch, classes\], but "conv2d" is \[batch, 4, 4, 2\]\. Let/),
  });
});

describe("a loss's nodes", () => {
  const build = (end: (build: Build, x: TensorId) => TensorId) => {
    const made = new Build();
    const x = made.input("x", [4, 10]);
    const labels = made.input("labels", [4, 10]);
    const output = end(made, x);
    const { graph } = made;
    const run = () =>
      rows.call({
        output,
        labels,
        state: graph.state,
        add: made.addTyped,
        outputName: "dense",
        shapeOf: (tensor) => tensorOf(graph, tensor).shape,
        producerOf: (tensor) => producerOf(graph, tensor),
      });
    return { made, x, labels, run };
  };

  it("start from the logits under the softmax", () => {
    const { made, x, labels, run } = build((made, x) => made.add("softmax", { x }).y!);
    const loss = run();
    const node = made.graph.nodes.at(-1)!;
    expect(node).toMatchObject({ op: "softmaxCrossEntropy", inputs: { x, labels, state: made.graph.state } });
    expect(node.outputs).toEqual({ loss });
    expect(tensorOf(made.graph, loss).shape).toEqual([4]);
  });

  it.each<[string, (build: Build, x: TensorId) => TensorId]>([
    ["linear outputs", (_, x) => x],
    ["sigmoids", (made, x) => made.add("activation", { x }, { kind: "sigmoid" }).y!],
  ])("cannot be made for %s: the remedy is named", (_, end) => {
    const { code, message } = failure(build(end).run);
    expect(code).toBe("value");
    for (const text of ['"categoricalCrossentropy"', 'activation: "softmax"', "last layer"]) {
      expect(message).toContain(text);
    }
  });

  it("cannot be made for what comes after a softmax: who has one is not told to add one", () => {
    const after = (made: Build, x: TensorId) =>
      made.add("reshape", { x: made.add("softmax", { x }).y }, { shape: [4, 10] }, "flatten").y!;
    const { code, message } = failure(build(after).run);
    expect(code).toBe("value");
    expect(message).toContain('ends in "flatten". Move the softmax behind it.');
    expect(message).not.toContain("activation:");
  });
});
