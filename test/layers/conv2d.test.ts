import { describe, expect, it } from "vitest";
import { type Conv2dOptions, conv2d, depthwiseConv2d, fromConfig, sequential, toConfig } from "../../src/index.ts";
import { failure, networkOf } from "../support/building.ts";

const make = (options: object) => conv2d({ filters: 6, kernelSize: 3, ...options } as Conv2dOptions);

describe("dilationRate and groups of conv2d", () => {
  it.each([
    ["dilationRate", 0],
    ["dilationRate", [1]],
    ["dilationRate", "2"],
    ["groups", 0],
    ["groups", 1.5],
    ["groups", [2]],
    ["groups", 4],
  ])("%s cannot be %j", (option, value) => {
    const { code, message } = failure(() => make({ [option]: value }));
    expect(code).toBe("value");
    expect(message).toContain(`conv2d: ${option}`);
    expect(message).toContain("got");
  });

  it.each([make, (options: object) => depthwiseConv2d({ kernelSize: 3, ...options })])(
    "strides and dilationRate cannot both be above 1, on whichever axes",
    (layer) => {
      const { code, message } = failure(() => layer({ strides: [1, 2], dilationRate: [3, 1] }));
      expect(code).toBe("value");
      for (const part of ["strides [1, 2]", "dilationRate [3, 1]", "Make one of them 1"])
        expect(message).toContain(part);
      expect(() => layer({ strides: 2, dilationRate: 1 })).not.toThrow();
    },
  );

  it("make Keras's kernel and output", () => {
    const network = networkOf([make({ groups: 3, dilationRate: [2, 1], inputShape: [9, 8, 6] })]);
    expect(network.variables.map(({ path, shape }) => [path, shape])).toEqual([
      ["conv2d/kernel", [3, 3, 2, 6]],
      ["conv2d/bias", [6]],
    ]);
    expect(network.outputs[0]!.shape).toEqual([5, 6, 6]);
  });

  it("name what does not fit", () => {
    const groups = failure(() => networkOf([make({ groups: 3, inputShape: [9, 8, 4] })]));
    expect(groups.code).toBe("shape");
    for (const part of ['Conv2D "conv2d"', "3 groups", "4 channels"]) expect(groups.message).toContain(part);
    const small = failure(() => networkOf([make({ dilationRate: 4, inputShape: [8, 9, 4] })]));
    expect(small.code).toBe("shape");
    for (const part of ['"conv2d"', "[9, 9]", "[8, 9, 4]"]) expect(small.message).toContain(part);
  });

  it("are in the config", () => {
    const model = sequential([make({ groups: 2, dilationRate: 2, inputShape: [9, 8, 4] })]);
    const config = JSON.parse(JSON.stringify(toConfig(model)));
    expect(config.layers[0].config).toMatchObject({ groups: 2, dilationRate: [2, 2], strides: [1, 1] });
    expect(toConfig(fromConfig(config))).toEqual(config);
  });
});
