import { describe, expect, it } from "vitest";
import {
  type Conv2dTransposeOptions,
  conv2dTranspose,
  dense,
  flatten,
  fromConfig,
  sequential,
  sgd,
  toConfig,
} from "../../src/index.ts";
import { trainingProgram } from "../../src/program/programs.ts";
import { Build, failure, networkOf } from "../support/building.ts";
import { inputsOf, measuresOf } from "../support/programs.ts";
import { MERGE_NOTHING } from "../support/recording.ts";

const make = (options: object) => conv2dTranspose({ filters: 6, kernelSize: 3, ...options } as Conv2dTransposeOptions);

describe("options of conv2dTranspose", () => {
  it.each([
    ["filters", 0],
    ["kernelSize", [3]],
    ["strides", 0],
    ["padding", "causal"],
    ["outputPadding", -1],
    ["outputPadding", [0]],
    ["outputPadding", 0.5],
    ["outputPadding", "1"],
    ["outputPadding", [0, 2]],
    ["dilationRate", 1.5],
    ["activation", "ReLU"],
    ["useBias", 1],
  ])("%s cannot be %j", (option, value) => {
    const { code, message } = failure(() => make({ strides: 2, [option]: value }));
    expect(code).toBe("value");
    expect(message).toContain(`conv2dTranspose: ${option}`);
    expect(message).toContain("got");
  });

  it("are known, and strides and dilationRate not both above 1", () => {
    expect(failure(() => make({ groups: 2 })).message).toContain('"groups"');
    expect(failure(() => make({ strides: 2, dilationRate: 2 })).message).toContain("Make one of them 1");
  });
});

describe("shapes of conv2dTranspose", () => {
  // What Keras's Conv2DTranspose gives (keras/src/backend/common/backend_utils.py).
  it.each([
    [{}, [5, 4, 2], [7, 6, 6]],
    [{ strides: 2, padding: "same" }, [5, 4, 2], [10, 8, 6]],
    [{ kernelSize: 2, strides: 3 }, [5, 4, 2], [15, 12, 6]],
    [{ strides: 2, padding: "same", outputPadding: [0, 1] }, [5, 4, 2], [9, 8, 6]],
    [{ strides: 3, outputPadding: 2 }, [5, 4, 2], [17, 14, 6]],
    [{ dilationRate: 2 }, [5, 4, 2], [9, 8, 6]],
  ])("%o of %j gives %j", (options, input, output) => {
    const network = networkOf([make({ ...options, inputShape: input })]);
    expect(network.outputs[0]!.shape).toEqual(output);
    const [kernel, bias] = network.variables.map(({ path, shape }) => [path, shape]);
    const size = (options as { kernelSize?: number }).kernelSize ?? 3;
    expect(kernel).toEqual(["conv2d_transpose/kernel", [size, size, 6, 2]]);
    expect(bias).toEqual(["conv2d_transpose/bias", [6]]);
  });

  it("that do not fit are named", () => {
    const flat = failure(() => networkOf([make({ inputShape: [9] })]));
    expect(flat.message).toContain('Conv2DTranspose "conv2d_transpose" wants images');
    const nothing = { kernelSize: 2, strides: 2, padding: "same", outputPadding: 0, inputShape: [1, 3, 2] };
    const { code, message } = failure(() => networkOf([make(nothing)]));
    expect(code).toBe("shape");
    for (const part of ["conv2d_transpose", "leaves nothing", "[1, 3, 2]", "[0, 0]"]) expect(message).toContain(part);
  });

  it.each([
    [[3, 3, 4, 2], undefined, ["[kH, kW, filters, 3]", "[3, 3, 4, 2]"]],
    [[3, 3, 3], undefined, ["[3, 3, 3]"]],
    [[3, 3, 4, 3], [3], ["[4]", "[3]"]],
  ])("of a kernel %j and a bias %j are refused by the op", (kernel, bias, parts) => {
    const build = new Build();
    const ids = {
      x: build.input("x", [2, 9, 8, 3]),
      kernel: build.input("k", kernel),
      bias: bias && build.input("b", bias),
    };
    const { code, message } = failure(() => build.add("conv2dTranspose", ids, { strides: [1, 1], padding: "valid" }));
    expect(code).toBe("shape");
    for (const part of ["conv2dTranspose", ...parts]) expect(message).toContain(part);
  });
});

describe("conv2dTranspose", () => {
  it("has a config that makes it again", () => {
    const model = sequential([
      make({ strides: 2, outputPadding: 1, padding: "same", inputShape: [5, 4, 2] }),
      make({ dilationRate: 2, activation: "relu", useBias: false }),
    ]);
    const config = JSON.parse(JSON.stringify(toConfig(model)));
    expect(config.layers[0].className).toBe("Conv2DTranspose");
    expect(config.layers[0].config).toMatchObject({ strides: [2, 2], outputPadding: [1, 1], dilationRate: [1, 1] });
    expect(toConfig(fromConfig(config))).toEqual(config);
  });

  it("takes one dispatch forward and five backward: activations and SGD ride in them", () => {
    const layers = [
      make({ activation: "relu", inputShape: [6, 6, 3] }),
      make({ strides: 2, activation: "tanh" }),
      flatten(),
      dense({ units: 3, activation: "softmax" }),
    ];
    const network = networkOf(layers);
    const measures = measuresOf(network);
    const settings = {
      network,
      capacity: 64,
      columns: inputsOf(network),
      adapter: "software",
      choices: {},
      measures,
    } as const;
    const { plan } = trainingProgram({ ...settings, optimizer: sgd(), limits: MERGE_NOTHING });
    const steps = plan.steps.filter(({ node }) => node.includes("conv2d")).map(({ kernel, node }) => [kernel, node]);
    const filter = (layer: string) => [
      ["conv2d_filter_gradient", `${layer}/conv2dTransposeFilterGradient`],
      ["conv2d_filter_gradient_sum", `${layer}/conv2dTransposeFilterGradient`],
      ["channel_sum", `${layer}/conv2dTransposeFilterGradient`],
      ["conv2d_filter_gradient_sum", `${layer}/conv2dTransposeFilterGradient`],
    ];
    expect(steps).toEqual([
      ["conv2d_input_gradient", "conv2d_transpose"],
      ["conv2d_input_gradient", "conv2d_transpose_1"],
      ["conv2d", "conv2d_transpose_1/conv2dTransposeInputGradient"],
      ...filter("conv2d_transpose_1"),
      ...filter("conv2d_transpose"),
    ]);
  });
});
