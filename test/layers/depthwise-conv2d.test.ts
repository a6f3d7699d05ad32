import { describe, expect, it } from "vitest";
import {
  adam,
  conv2d,
  type DepthwiseConv2dOptions,
  dense,
  depthwiseConv2d,
  flatten,
  fromConfig,
  type Layer,
  maxPooling2d,
  type Optimizer,
  sequential,
  sgd,
  toConfig,
} from "../../src/index.ts";
import { initialize } from "../../src/layers/initializers.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { Build, failure, networkOf } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";
import { MERGE_NOTHING } from "../support/recording.ts";

const WRONG: Record<string, readonly unknown[]> = {
  kernelSize: [undefined, 0, -1, 1.5, "3", [3], [3, 3, 3], [3, 0], 2 ** 31],
  strides: [0, -1, 2.5, "2", [2], [1, 0]],
  padding: ["SAME", "causal", 1],
  dilationRate: [0, -1, 1.5, "2", [2], [1, 0]],
  depthMultiplier: [0, -1, 1.5, Number.NaN, "2", [2], 2 ** 31],
  activation: ["ReLU", 1],
  useBias: ["no", 1],
  depthwiseInitializer: ["glorot_uniform", 1],
  biasInitializer: ["zero", 0],
  depthwiseRegularizer: ["l3", 1, { rate: 1 }],
  biasRegularizer: ["l3", 1],
  activityRegularizer: ["l3", 1],
  depthwiseConstraint: ["maxnorm", 1, { max: 1 }],
  biasConstraint: ["maxnorm", 1],
  inputShape: [28, [], [28, 0]],
  name: [5],
  trainable: ["no"],
};

describe("options of depthwiseConv2d", () => {
  const make = (options: object) => depthwiseConv2d({ kernelSize: 3, ...options } as DepthwiseConv2dOptions);

  it.each(Object.entries(WRONG).flatMap(([option, values]) => values.map((value) => [option, value] as const)))(
    "%s cannot be %s",
    (option, value) => {
      const { code, message } = failure(() => make({ [option]: value }));
      expect(code).toBe("value");
      expect(message).toContain(`depthwiseConv2d: ${option}`);
      expect(message).toContain("must be");
      expect(message).toContain("got");
    },
  );

  it("are listed where one is unknown: each has a wrong value in this test", () => {
    const { code, message } = failure(() => make({ filters: 3 }));
    expect(code).toBe("value");
    expect(message).toContain('"filters"');
    expect(/It takes: (.*)\.$/.exec(message)![1]!.split(", ").sort()).toEqual(Object.keys(WRONG).sort());
  });

  it("are needed", () => {
    expect(failure(() => (depthwiseConv2d as unknown as () => Layer)()).code).toBe("value");
  });
});

describe("variables of depthwiseConv2d", () => {
  const variablesOf = (options: Omit<DepthwiseConv2dOptions, "kernelSize">, input: readonly number[]) =>
    networkOf([depthwiseConv2d({ kernelSize: [3, 5], inputShape: input, ...options })]).variables;
  const shapes = (...args: Parameters<typeof variablesOf>) =>
    variablesOf(...args).map(({ path, shape }) => [path, shape]);

  it("are Keras's: kernel [kH, kW, channels, multiplier] and bias [channels * multiplier]", () => {
    expect(shapes({ depthMultiplier: 2 }, [9, 8, 4])).toEqual([
      ["depthwise_conv2d/kernel", [3, 5, 4, 2]],
      ["depthwise_conv2d/bias", [8]],
    ]);
    expect(shapes({ useBias: false }, [9, 8, 4])).toEqual([["depthwise_conv2d/kernel", [3, 5, 4, 1]]]);
  });

  it("start as Keras's: glorotUniform over kH * kW * channels and kH * kW * multiplier, zeros", () => {
    const [kernel, bias] = variablesOf({ depthMultiplier: 2 }, [9, 8, 4]).map(({ initial }) => initial!(1));
    const limit = Math.sqrt(6 / (15 * 4 + 15 * 2));
    expect(Math.max(...kernel!.map(Math.abs))).toBeLessThanOrEqual(limit);
    expect(Math.max(...kernel!.map(Math.abs))).toBeGreaterThan(0.9 * limit);
    expect([...bias!]).toEqual(new Array(8).fill(0));
    const own = { depthwiseInitializer: "ones", biasInitializer: () => new Float32Array(4).fill(3) } as const;
    const [ones, threes] = variablesOf(own, [9, 8, 4]).map(({ initial }) => initial!(1));
    expect([...ones!]).toEqual([...initialize("ones", [3, 5, 4, 1], 0)]);
    expect([...threes!]).toEqual([3, 3, 3, 3]);
  });

  it("stay as they are where the layer is not trainable", () => {
    const frozen = depthwiseConv2d({ kernelSize: 3, trainable: false, inputShape: [5, 5, 1] });
    expect(networkOf([frozen]).variables.map(({ trainable }) => trainable)).toEqual([false, false]);
  });
});

describe("shapes of depthwiseConv2d", () => {
  const outputOf = (options: DepthwiseConv2dOptions, inputShape: readonly number[]) =>
    networkOf([depthwiseConv2d({ ...options, inputShape })]).outputs[0]!.shape;

  it.each([
    [{ kernelSize: 3 }, [28, 28, 3], [26, 26, 3]],
    [{ kernelSize: 3, depthMultiplier: 2, padding: "same" }, [28, 27, 3], [28, 27, 6]],
    [{ kernelSize: [2, 5], strides: [2, 3], padding: "same" }, [7, 7, 1], [4, 3, 1]],
    // Keras's own example: DepthwiseConv2D(3, 3) of [10, 10, 12].
    [{ kernelSize: 3, strides: 3 }, [10, 10, 12], [3, 3, 12]],
  ] as const)("%o of %o gives %o", (options, input, output) => {
    expect(outputOf(options, input)).toEqual(output);
  });

  it("that do not fit are named", () => {
    const small = failure(() => outputOf({ kernelSize: 5 }, [4, 9, 2]));
    expect(small.code).toBe("shape");
    for (const part of ["depthwise_conv2d", "[5, 5]", "[4, 9, 2]"]) expect(small.message).toContain(part);
    const flat = failure(() => outputOf({ kernelSize: 3 }, [9]));
    expect(flat.code).toBe("shape");
    expect(flat.message).toContain('DepthwiseConv2D "depthwise_conv2d" wants images');
  });

  it.each([
    [[3, 3, 4, 1], undefined, ["[3, 3, 4, 1]", "[2, 9, 8, 3]"]],
    [[3, 3, 3], undefined, ["[3, 3, 3]"]],
    [[3, 3, 3, 2], [3], ["[6]", "[3]"]],
    [
      [3, 3, 3, 2],
      [6, 1],
      ["[6]", "[6, 1]"],
    ],
  ])("of a kernel %j and a bias %j are refused by the op", (kernel, bias, parts) => {
    const build = new Build();
    const ids = {
      x: build.input("x", [2, 9, 8, 3]),
      kernel: build.input("k", kernel),
      bias: bias && build.input("b", bias),
    };
    const { code, message } = failure(() => build.add("depthwiseConv2d", ids, { strides: [1, 1], padding: "valid" }));
    expect(code).toBe("shape");
    for (const part of ["depthwiseConv2d", ...parts]) expect(message).toContain(part);
  });
});

describe("the config of depthwiseConv2d", () => {
  it("has Keras's options, defaults too, and makes the same layer again", () => {
    const model = sequential([
      depthwiseConv2d({ kernelSize: 3, inputShape: [9, 8, 2] }),
      depthwiseConv2d({
        kernelSize: [2, 3],
        strides: [1, 2],
        padding: "same",
        depthMultiplier: 3,
        activation: "tanh",
        useBias: false,
        depthwiseInitializer: "heUniform",
        name: "second",
        trainable: false,
      }),
    ]);
    const config = JSON.parse(JSON.stringify(toConfig(model)));
    expect(config.layers[0]).toEqual({
      className: "DepthwiseConv2D",
      config: {
        name: "depthwise_conv2d",
        inputShape: [9, 8, 2],
        kernelSize: [3, 3],
        strides: [1, 1],
        padding: "valid",
        dilationRate: [1, 1],
        depthMultiplier: 1,
        activation: "linear",
        useBias: true,
        depthwiseInitializer: "glorotUniform",
        biasInitializer: "zeros",
      },
    });
    const copy = fromConfig(config);
    expect(toConfig(copy)).toEqual(config);
    expect(copy.summary({ print: () => {} })).toBe(model.summary({ print: () => {} }));
  });
});

/** Kernel and node of each dispatch of a training step, without those of the last layer, the loss and the batch. */
function stepOf(layers: Layer[], optimizer: Optimizer, adapter: "software" | "gpu" = "software") {
  const network = networkOf([...layers, flatten(), dense({ units: 3, activation: "softmax" })]);
  const measures = measuresOf(network);
  const settings = { network, capacity: 64, columns: inputsOf(network), adapter, choices: {}, measures, optimizer };
  const { plan } = trainingProgram({ ...settings, limits: MERGE_NOTHING });
  const steps = plan.steps.map(({ kernel, node }) => [kernel, node] as const);
  return { plan, steps: steps.filter(([, node]) => node.includes("conv2d") || node.includes("pooling")) };
}

describe("a training step with depthwiseConv2d", () => {
  const separable = () => [
    depthwiseConv2d({ kernelSize: 3, activation: "relu", inputShape: [12, 12, 8] }),
    maxPooling2d(),
    depthwiseConv2d({ kernelSize: 3, padding: "same", depthMultiplier: 2, activation: "tanh" }),
    conv2d({ filters: 4, kernelSize: 1 }),
  ];

  it("takes one dispatch forward and three backward: activation, pooling and SGD ride in them", () => {
    const { steps } = stepOf(separable(), sgd());
    const own = steps.filter(([, node]) => !node.startsWith("conv2d"));
    expect(own).toEqual([
      ["depthwise_conv2d", "depthwise_conv2d"],
      ["depthwise_conv2d", "depthwise_conv2d_1"],
      ["depthwise_conv2d_input_gradient", "depthwise_conv2d_1/depthwiseConv2dInputGradient"],
      ["depthwise_conv2d_filter_gradient", "depthwise_conv2d_1/depthwiseConv2dFilterGradient"],
      ["conv2d_filter_gradient_sum", "depthwise_conv2d_1/depthwiseConv2dFilterGradient"],
      ["depthwise_conv2d_filter_gradient", "depthwise_conv2d/depthwiseConv2dFilterGradient"],
      ["conv2d_filter_gradient_sum", "depthwise_conv2d/depthwiseConv2dFilterGradient"],
    ]);
  });

  it("takes one dispatch more for each parameter where the optimizer keeps more", () => {
    const { plan } = stepOf(separable(), adam());
    const updates = plan.steps.filter(({ kernel }) => kernel.includes("adam"));
    expect(updates.some(({ node }) => node.includes("depthwise_conv2d/kernel"))).toBe(true);
  });
});

describe("the slices of a filter gradient", () => {
  const constant = (code: string, name: string) =>
    Number(new RegExp(`const ${name}: ?u32 ?= ?(\\d+)u;`).exec(code)?.[1]);

  it.each([
    { adapter: "gpu", batch: 1, size: 1, channels: 1, most: 1 },
    { adapter: "gpu", batch: 5, size: 7, channels: 3, most: 18 },
    { adapter: "gpu", batch: 64, size: 28, channels: 64, most: 341 },
    { adapter: "gpu", batch: 64, size: 14, channels: 21840, most: 1 },
    { adapter: "software", batch: 64, size: 28, channels: 64, most: 21 },
    { adapter: "software", batch: 64, size: 28, channels: 4096, most: 1 },
  ] as const)("have blocks each, and cover all: %o", ({ adapter, batch, size, channels, most }) => {
    const build = new Build();
    const image = [batch, size, size, channels];
    const ids = { x: build.input("x", image), dy: build.input("dy", image), state: build.graph.state };
    const attributes = { strides: [1, 1], padding: "same", kernelShape: [3, 3, channels, 1], hasBias: true };
    build.want(...Object.values(build.add("depthwiseConv2dFilterGradient", ids, attributes)));
    const plan = build.lower({ adapter, limits: MERGE_NOTHING });
    const slices = constant(plan.steps[0]!.shader.code, "SLICES");
    expect(constant(plan.steps[1]!.shader.code, "SLICES")).toBe(slices);
    // Four positions along w, or a tile of 4 x 4.
    const blocks = batch * (adapter === "gpu" ? size : Math.ceil(size / 4)) * Math.ceil(size / 4);
    const each = Math.ceil(blocks / slices);
    expect(slices).toBeLessThanOrEqual(most);
    expect(slices).toBeGreaterThan(most / 2);
    expect((slices - 1) * each).toBeLessThan(blocks);
    // What docs/guide/layers.md says of their bytes, here for channels by four.
    const bytes = slices * 10 * channels * 4;
    expect(bytes).toBeLessThanOrEqual(Math.max(adapter === "gpu" ? 0.9e6 : 56e3, 10 * channels * 4));
  });
});
