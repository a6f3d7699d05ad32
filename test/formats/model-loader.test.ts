import { describe, expect, it } from "vitest";
import { conv2d, dense, fromConfig, modelLoader, sequential, toConfig } from "../../src/index.ts";

describe("a model loader", () => {
  const { fromConfig: denseOnly } = modelLoader({ layers: { Dense: dense } });

  it("makes models of the layers that it was given, as fromConfig does", () => {
    const config = toConfig(sequential([dense({ units: 2, activation: "relu", inputShape: [3] })]));
    expect(toConfig(denseOnly(config))).toEqual(toConfig(fromConfig(config)));
  });

  it("knows no others, and says so", () => {
    const config = toConfig(sequential([conv2d({ filters: 1, kernelSize: 1, inputShape: [2, 2, 1] })]));
    expect(() => denseOnly(config)).toThrow('className is no known layer: "Conv2D". It can be: Dense.');
    expect(denseOnly(config, { layers: { Conv2D: conv2d } }).countParams()).toBe(2);
  });

  it("wants factories", () => {
    expect(() => modelLoader({ layers: { Dense: "dense" } as never })).toThrow(
      "modelLoader: layers.Dense must be a function",
    );
    expect(() => modelLoader({} as never)).toThrow("modelLoader: layers");
  });
});
