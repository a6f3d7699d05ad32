import { describe, expect, it } from "vitest";
import {
  averagePooling1d,
  conv1d,
  cropping1d,
  fromConfig,
  input,
  type Layer,
  maxPooling1d,
  model,
  repeatVector,
  sequential,
  toConfig,
  upSampling1d,
  zeroPadding1d,
} from "../../src/index.ts";
import { failure, networkOf } from "../support/building.ts";

type Make = (options: object) => Layer;
const as = (make: unknown) => make as Make;
const conv: Make = (options) => as(conv1d)({ filters: 6, kernelSize: 3, ...options });

describe("layers of sequences", () => {
  // Shapes are Keras's compute_output_shape of [batch, 9, 4].
  it.each([
    ["conv1d", conv({}), [7, 6], 78],
    ["conv1d, strides", conv({ strides: 2, padding: "same" }), [5, 6], 78],
    ["conv1d, causal", conv({ strides: 2, padding: "causal", kernelSize: [4] }), [5, 6], 102],
    ["conv1d, dilation", conv({ dilationRate: 3 }), [3, 6], 78],
    ["conv1d, groups", conv({ groups: 2, useBias: false }), [7, 6], 36],
    ["maxPooling1d", maxPooling1d(), [4, 4], 0],
    ["maxPooling1d, strides", maxPooling1d({ poolSize: 3, strides: 1, padding: "same" }), [9, 4], 0],
    ["averagePooling1d", averagePooling1d({ poolSize: 4 }), [2, 4], 0],
    ["zeroPadding1d", zeroPadding1d(), [11, 4], 0],
    ["zeroPadding1d, two ends", zeroPadding1d({ padding: [0, 3] }), [12, 4], 0],
    ["cropping1d", cropping1d(), [7, 4], 0],
    ["cropping1d, two ends", cropping1d({ cropping: [3, 0] }), [6, 4], 0],
    ["upSampling1d", upSampling1d(), [18, 4], 0],
    ["upSampling1d, size", upSampling1d({ size: 5 }), [45, 4], 0],
  ] as const)("%s know their shapes and parameters, and come back from a config", (_, layer, shape, parameters) => {
    const x = input({ shape: [9, 4] });
    const made = model({ inputs: x, outputs: layer(x) });
    expect(made.outputShape).toEqual(shape);
    expect(made.countParams()).toBe(parameters);
    const config = JSON.parse(JSON.stringify(toConfig(made)));
    expect(toConfig(fromConfig(config))).toEqual(config);
  });

  it.each([
    ["Conv1D", conv({})],
    ["MaxPooling1D", maxPooling1d()],
    ["AveragePooling1D", averagePooling1d()],
    ["ZeroPadding1D", zeroPadding1d()],
    ["Cropping1D", cropping1d()],
    ["UpSampling1D", upSampling1d()],
  ])("%s wants sequences", (type, layer) => {
    const image = failure(() => layer(input({ shape: [4, 6, 8], name: "image" })));
    expect(image.code).toBe("shape");
    const parts = [type, "wants sequences [batch, steps, channels]", '[batch, 4, 6, 8] from "image"'];
    for (const part of parts) expect(image.message).toContain(part);
    const flat = failure(() => layer(input({ shape: [9] })));
    expect(flat.message).toContain("Sequences of single numbers have one channel: [batch, 9, 1].");
  });

  it.each([
    ["conv1d: filters", conv, { filters: 0 }],
    ["conv1d: kernelSize", conv, { kernelSize: [3, 3] }],
    ["conv1d: strides", conv, { strides: 1.5 }],
    ["conv1d: padding", conv, { padding: "full" }],
    ["conv1d: dilationRate", conv, { dilationRate: "2" }],
    ["conv1d: groups", conv, { groups: 4 }],
    ["maxPooling1d: poolSize", as(maxPooling1d), { poolSize: 0 }],
    ["averagePooling1d: strides", as(averagePooling1d), { strides: [] }],
    ["maxPooling1d: padding", as(maxPooling1d), { padding: "causal" }],
    ["zeroPadding1d: padding", as(zeroPadding1d), { padding: -1 }],
    ["zeroPadding1d: padding", as(zeroPadding1d), { padding: [1] }],
    ["cropping1d: cropping", as(cropping1d), { cropping: [1, 0.5] }],
    ["upSampling1d: size", as(upSampling1d), { size: 2 ** 31 }],
    ["repeatVector: n", as(repeatVector), {}],
    ["repeatVector: n", as(repeatVector), { n: [2] }],
  ])("%s is checked: case %#", (where, make, options) => {
    const { code, message } = failure(() => make(options));
    expect(code).toBe("value");
    for (const part of [where, "got"]) expect(message).toContain(part);
  });

  it("say what does not fit", () => {
    expect(failure(() => conv({ strides: 2, dilationRate: 2 })).message).toContain("Make one of them 1");
    const groups = failure(() => networkOf([conv({ groups: 3, inputShape: [9, 4] })]));
    for (const part of ['Conv1D "conv1d"', "3 groups", "4 channels"]) expect(groups.message).toContain(part);
    const short = failure(() => networkOf([conv({ kernelSize: 5, inputShape: [4, 2] })]));
    for (const part of ['"conv1d', "[1, 5]", "does not fit"]) expect(short.message).toContain(part);
    const nothing = failure(() => networkOf([cropping1d({ cropping: 2, inputShape: [4, 2] })]));
    for (const part of ["Cropping1D", "4 steps", "nothing is left"]) expect(nothing.message).toContain(part);
  });

  it("causal, need no step that is as far as the kernel reaches", () => {
    const network = networkOf([conv({ kernelSize: 8, padding: "causal", dilationRate: 2, inputShape: [1, 2] })]);
    expect(network.outputs[0]!.shape).toEqual([1, 6]);
    expect(network.variables.map(({ path, shape }) => [path, shape])[0]).toEqual(["conv1d/kernel", [8, 2, 6]]);
  });
});

describe("repeatVector", () => {
  it("makes sequences of rows", () => {
    const made = sequential([repeatVector({ n: 3, inputShape: [7] })]);
    expect(made.outputShape).toEqual([3, 7]);
    expect(toConfig(fromConfig(toConfig(made)))).toEqual(toConfig(made));
    const { code, message } = failure(() => networkOf([repeatVector({ n: 3, inputShape: [7, 2] })]));
    expect(code).toBe("shape");
    for (const part of ["RepeatVector", "rows [batch, features]", "[batch, 7, 2]"]) expect(message).toContain(part);
  });
});
