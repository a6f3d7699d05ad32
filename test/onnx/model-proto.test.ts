import { describe, expect, it } from "vitest";
import { conv2d, dense, flatten, sequential } from "../../src/index.ts";
import { modelBytes, transposed } from "../../src/onnx/model-proto.ts";
import { failure } from "../support/building.ts";
import { fileOf, graphOf } from "../support/onnx.ts";

describe("weights in an ONNX file", () => {
  it("are those of the moment: kernels [height, width, channels, filters] turned to [filters, channels, height, width]", async () => {
    const [kH, kW, C, F] = [3, 2, 5, 7];
    const made = sequential([
      conv2d({ filters: F, kernelSize: [kH, kW], inputShape: [4, 4, C] }),
      flatten(),
      dense({ units: 3, useBias: false }),
    ]);
    const { weights } = await fileOf(made);
    const [kernel, bias, matrix] = await made.getWeights();
    const want: number[] = [];
    for (let f = 0; f < F; f++)
      for (let c = 0; c < C; c++)
        for (let h = 0; h < kH; h++)
          for (let w = 0; w < kW; w++) want.push(kernel!.data[((h * kW + w) * C + c) * F + f]!);
    expect(new Set(want).size).toBeGreaterThan(200);
    expect(weights["conv2d/kernel"]).toEqual({ dims: [F, C, kH, kW], data: want });
    expect(weights["conv2d/bias"]).toEqual({ dims: [F], data: [...bias!.data] });
    expect(weights["dense/kernel"]).toEqual({ dims: [2 * 3 * F, 3], data: [...matrix!.data] });
    expect(Object.keys(weights)).toEqual(["conv2d/kernel", "conv2d/bias", "flatten/constant", "dense/kernel"]);
  });

  it.each([[[1, 0]], [[0, 1]]])("of two axes are turned to %j", (order) => {
    const data = Float32Array.of(0, 1, 2, 3, 4, 5);
    expect([...transposed(data, [2, 3], order)]).toEqual(order[0] === 1 ? [0, 3, 1, 4, 2, 5] : [...data]);
  });

  it("keep every bit, NaN's too", async () => {
    const made = sequential([dense({ units: 1, inputShape: [3], useBias: false })]);
    const data = new Float32Array(Uint32Array.of(0x7fc12345, 0x80000000, 1).buffer);
    const bytes = modelBytes(graphOf(made), "m", [{ name: "dense/kernel", shape: [3, 1], data }]);
    const words = [0x7fc12345, 0x80000000, 1].flatMap((word) => [...new Uint8Array(Uint32Array.of(word).buffer)]);
    expect(String([...bytes])).toContain(String(words));
  });

  it("are no more than a protobuf message can hold", () => {
    const large = (units: number) => sequential([dense({ units, inputShape: [2 ** 10], useBias: false })]);
    expect(graphOf(large(2 ** 19 - 1)).initializers.length).toBe(1);
    const error = failure(() => graphOf(large(2 ** 19)));
    expect(error).toMatchObject({
      code: "limit",
      message: /room for 2147483647 bytes, but the weights take 2147483648/,
    });
  });
});
