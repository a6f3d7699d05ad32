import { describe, expect, it } from "vitest";
import { fromConfig, type SeparableConv2dOptions, separableConv2d, sequential, toConfig } from "../../src/index.ts";
import { failure, networkOf } from "../support/building.ts";

const make = (options: object) => separableConv2d({ filters: 5, kernelSize: 3, ...options } as SeparableConv2dOptions);

describe("separableConv2d", () => {
  it.each([
    ["filters", 0],
    ["kernelSize", [3]],
    ["strides", 0],
    ["padding", "causal"],
    ["dilationRate", 1.5],
    ["depthMultiplier", 0],
    ["activation", "ReLU"],
    ["useBias", 1],
    ["depthwiseInitializer", "one"],
    ["pointwiseInitializer", "one"],
    ["biasInitializer", 1],
  ])("%s cannot be %j", (option, value) => {
    const { code, message } = failure(() => make({ [option]: value }));
    expect(code).toBe("value");
    expect(message).toContain(`separableConv2d: ${option}`);
  });

  it("refuses strides beside a dilation, and options that it does not have", () => {
    expect(failure(() => make({ strides: 2, dilationRate: 2 })).message).toContain("Make one of them 1");
    expect(failure(() => make({ kernelInitializer: "zeros" })).message).toContain('"kernelInitializer"');
  });

  // Weights are those of keras/src/layers/convolutional/base_separable_conv.py.
  it("has Keras's weights and output, and comes back from a config", () => {
    const options = { strides: 2, padding: "same", depthMultiplier: 2, inputShape: [7, 6, 3] };
    const network = networkOf([make(options)]);
    expect(network.variables.map(({ path, shape }) => [path, shape])).toEqual([
      ["separable_conv2d/depthwise_kernel", [3, 3, 3, 2]],
      ["separable_conv2d/pointwise_kernel", [1, 1, 6, 5]],
      ["separable_conv2d/bias", [5]],
    ]);
    expect(network.outputs[0]!.shape).toEqual([4, 3, 5]);
    const config = JSON.parse(JSON.stringify(toConfig(sequential([make({ ...options, useBias: false })]))));
    const copy = fromConfig(config);
    expect(toConfig(copy)).toEqual(config);
    expect(copy.countParams()).toBe(54 + 30);
  });

  it("wants images", () => {
    const { code, message } = failure(() => networkOf([make({ inputShape: [9] })]));
    expect(code).toBe("shape");
    expect(message).toContain('SeparableConv2D "separable_conv2d" wants images');
  });
});
