import { describe, expect, it } from "vitest";
import { conv2d, defineLayer, dense, dropout, flatten, input, model, ops, sequential } from "../../src/index.ts";
import { failure } from "../support/building.ts";
import { fileOf, nodesOf, sum, unknown } from "../support/onnx.ts";

describe("a functional model as an ONNX file", () => {
  it("has its inputs and outputs by name, shared layers once, and each tensor turned once", async () => {
    const [left, right] = [input({ shape: [4, 4, 2], name: "left" }), input({ shape: [4, 4, 2], name: "right" })];
    const twin = conv2d({ filters: 2, kernelSize: 3, padding: "same", name: "twin" });
    const both = sum()([twin(left), twin(right)]);
    const made = model({
      inputs: [left, right],
      outputs: { map: both, digit: dense({ units: 3, activation: "softmax" })(flatten()(both)) },
    });
    const file = await fileOf(made);
    expect(file.inputs).toEqual({ left: ["N", 4, 4, 2], right: ["N", 4, 4, 2] });
    expect(file.outputs).toEqual({ map: ["N", 4, 4, 2], digit: ["N", 3] });
    expect(file.nodes).toEqual([
      "Transpose(left) -> left/Transpose",
      "Conv(left/Transpose, twin/kernel, twin/bias) -> twin",
      "Transpose(right) -> right/Transpose",
      "Conv(right/Transpose, twin/kernel, twin/bias) -> twin/use_2",
      "Add(twin, twin/use_2) -> sum",
      "Transpose(sum) -> map",
      "Reshape(map, flatten/constant) -> flatten",
      "Gemm(flatten, dense/kernel, dense/bias) -> dense",
      "Softmax(dense) -> digit",
    ]);
    expect(Object.keys(file.weights)).toEqual([
      "twin/kernel",
      "twin/bias",
      "flatten/constant",
      "dense/kernel",
      "dense/bias",
    ]);
  });

  it("turns what two layers read once", () => {
    const x = input({ shape: [4, 4, 2] });
    const convolution = (name: string) => conv2d({ filters: 2, kernelSize: 1, useBias: false, name });
    const made = model({ inputs: x, outputs: sum("c")([convolution("a")(x), convolution("b")(x)]) });
    expect(nodesOf(made)).toEqual([
      "Transpose(input) -> input/Transpose",
      "Conv(input/Transpose, a/kernel, ) -> a",
      "Conv(input/Transpose, b/kernel, ) -> b",
      "Add(a, b) -> c_1",
      "Transpose(c_1) -> c",
    ]);
  });

  it("has all outputs of a layer that has several", () => {
    const kernel = (name: string) => ({ name, shape: [3, 2], initializer: "ones" as const });
    const pair = defineLayer({
      type: "Pair",
      variables: () => [kernel("left"), kernel("right")],
      call: ({ input: x, variables: { left, right }, add }) => [
        add(ops.dense, { x, kernel: left! }).y,
        add(ops.dense, { x, kernel: right! }).y,
      ],
    });
    const x = input({ shape: [3] });
    const [left, right] = pair(x);
    expect(nodesOf(model({ inputs: x, outputs: { right, both: sum()([left, right]) } }))).toEqual([
      "Gemm(input, pair/left, ) -> pair",
      "Gemm(input, pair/right, ) -> right",
      "Add(pair, right) -> both",
    ]);
  });

  it("has no whole numbers of a layer, which are no weights", () => {
    const layer = defineLayer({
      type: "Own",
      variables: () => [
        { name: "kernel", shape: [3, 2], initializer: "ones" },
        { name: "count", shape: [2], initializer: "ones", role: "statistic", dtype: "u32" },
      ],
      call: ({ input: x, variables: { kernel, count }, add }) => add(ops.dense, { x, kernel: kernel!, bias: count! }).y,
    });
    const x = input({ shape: [3] });
    const error = failure(() => nodesOf(model({ inputs: x, outputs: layer(x) })));
    expect(error.message).toBe('toOnnx: "own" reads the counter "own/count", which is no weight.');
    expect(error.code).toBe("value");
  });

  it("passes on what is an input, or another output too", () => {
    const x = input({ shape: [3] });
    const y = dense({ units: 2 })(x);
    const none = dropout({ rate: 0.5 });
    const made = model({ inputs: x, outputs: { a: y, b: none(y), c: none(x) } });
    expect(nodesOf(made)).toEqual([
      "Gemm(input, dense/kernel, dense/bias) -> a",
      "Identity(a) -> b",
      "Identity(input) -> c",
    ]);
  });

  it("leaves out what leads to no output", () => {
    const spare = defineLayer({
      type: "Spare",
      inputShape: [3],
      call: ({ input, add }) => {
        add(unknown, { x: input }, { by: 2 });
        return add(ops.add, { a: input, b: input }).c;
      },
    });
    expect(nodesOf(sequential([spare]))).toEqual(["Add(input, input) -> spare"]);
  });

  it("needs names that differ", () => {
    const x = input({ shape: [3], name: "x" });
    const error = failure(() => nodesOf(model({ inputs: x, outputs: { x: dense({ units: 2 })(x) } })));
    expect(error).toMatchObject({ code: "value", message: /input and an output are both named "x"\. Rename one/ });
  });
});
