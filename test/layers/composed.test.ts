import { describe, expect, it } from "vitest";
import * as featuremap from "../../src/index.ts";
import {
  type ActivationFunction,
  activation,
  add,
  average,
  batchNormalization,
  concatenate,
  conv2d,
  cropping2d,
  dense,
  dot,
  fromConfig,
  gelu,
  globalAveragePooling1d,
  globalAveragePooling2d,
  globalMaxPooling1d,
  globalMaxPooling2d,
  groupNormalization,
  input,
  type Layer,
  layerNormalization,
  maximum,
  minimum,
  model,
  multiply,
  permute,
  pRelu,
  type ResizingOptions,
  relu,
  rescaling,
  reshape,
  resizing,
  rmsNormalization,
  sequential,
  sparsemax,
  subtract,
  toConfig,
  unitNormalization,
  upSampling2d,
  zeroPadding2d,
} from "../../src/index.ts";

const image = () => input({ shape: [4, 6, 8] });

describe("layers made of expressions", () => {
  const layers: readonly [name: string, layer: Layer, shape: readonly number[], parameters: number][] = [
    ["reshape", reshape({ targetShape: [-1, 16] }), [12, 16], 0],
    ["permute", permute({ dims: [3, 1, 2] }), [8, 4, 6], 0],
    [
      "zeroPadding2d",
      zeroPadding2d({
        padding: [
          [1, 2],
          [0, 3],
        ],
      }),
      [7, 9, 8],
      0,
    ],
    ["cropping2d", cropping2d({ cropping: [1, 2] }), [2, 2, 8], 0],
    ["upSampling2d", upSampling2d({ size: [2, 3] }), [8, 18, 8], 0],
    ["upSampling2d, bilinear", upSampling2d({ size: [2, 3], interpolation: "bilinear" }), [8, 18, 8], 0],
    ["resizing", resizing({ height: 3, width: 9 }), [3, 9, 8], 0],
    ["resizing to its own size", resizing({ height: 4, width: 6, antialias: true }), [4, 6, 8], 0],
    ["resizing, cropped", resizing({ height: 9, width: 5, cropToAspectRatio: true }), [9, 5, 8], 0],
    ["resizing, padded", resizing({ height: 9, width: 5, padToAspectRatio: true, fillValue: -1 }), [9, 5, 8], 0],
    ["globalAveragePooling2d", globalAveragePooling2d(), [8], 0],
    ["globalMaxPooling2d", globalMaxPooling2d({ keepdims: true }), [1, 1, 8], 0],
    ["layerNormalization", layerNormalization(), [4, 6, 8], 16],
    ["layerNormalization, two axes", layerNormalization({ axis: [1, -1], center: false }), [4, 6, 8], 32],
    ["groupNormalization", groupNormalization({ groups: 4 }), [4, 6, 8], 16],
    ["unitNormalization", unitNormalization({ axis: [1, -1] }), [4, 6, 8], 0],
    ["rmsNormalization", rmsNormalization({ axis: [1, -1] }), [4, 6, 8], 32],
    ["batchNormalization of rows", batchNormalization({ axis: 1 }), [4, 6, 8], 16],
    ["dense along the channels", dense({ units: 5 }), [4, 6, 5], 45],
    ["rescaling", rescaling({ scale: 2 }), [4, 6, 8], 0],
    ["pRelu", pRelu({ sharedAxes: [1, 2] }), [4, 6, 8], 8],
    ["activation", activation({ activation: gelu({ approximate: true }) }), [4, 6, 8], 0],
    ["sparsemax", activation({ activation: sparsemax({ axis: 1 }) }), [4, 6, 8], 0],
    ["conv2d", conv2d({ filters: 2, kernelSize: 1, activation: relu({ maxValue: 6 }) }), [4, 6, 2], 18],
  ];

  it.each(layers)("%s know their shapes and parameters, and come back from a config", (_, layer, shape, parameters) => {
    const x = image();
    const made = model({ inputs: x, outputs: layer(x) });
    expect(made.outputShape).toEqual(shape);
    expect(made.countParams()).toBe(parameters);
    const config = JSON.parse(JSON.stringify(toConfig(made)));
    const copy = fromConfig(config);
    expect(toConfig(copy)).toEqual(config);
    expect(copy.outputShape).toEqual(shape);
  });

  it.each([globalAveragePooling1d, globalMaxPooling1d])("%o pools sequences", (layer) => {
    expect(layer()(input({ shape: [5, 3] })).shape).toEqual([3]);
    expect(() => layer()(image())).toThrow("wants sequences [batch, steps, channels], got [batch, 4, 6, 8]");
  });

  it("of the library's names and values for activations read Keras's words in a config", () => {
    const made = sequential([activation({ activation: "relu", inputShape: [3] })]);
    const config = JSON.parse(JSON.stringify(toConfig(made)));
    for (const name of ["gelu", "swish", "hardSigmoid", "logSoftmax"]) {
      config.layers[0].config.activation = name;
      const again = toConfig(fromConfig(config)).layers[0]!.config.activation;
      expect(again).toMatchObject({ className: name === "swish" ? "silu" : name });
    }
    config.layers[0].config.activation = { className: "fast", config: {} };
    expect(() => fromConfig(config)).toThrow('is no known activation: "fast"');
  });

  it("take an app's own activation", () => {
    const own: ActivationFunction = {
      name: "own",
      config: {},
      apply: ({ add }, x) => add(featuremap.ops.add, { a: x, b: x }).c,
    };
    expect(dense({ units: 3, activation: own })(input({ shape: [4] })).shape).toEqual([3]);
  });
});

describe("options of resizing", () => {
  const size = { height: 3, width: 4 };
  it.each([
    ["height", { width: 4 }],
    ["width", { ...size, width: 2 ** 14 }],
    ["interpolation", { ...size, interpolation: "bicubic" }],
    ["cropToAspectRatio", { ...size, cropToAspectRatio: 1 }],
    ["padToAspectRatio", { ...size, padToAspectRatio: "yes" }],
    ["fillMode", { ...size, fillMode: "reflect" }],
    ["fillValue", { ...size, fillValue: Number.NaN }],
    ["antialias", { ...size, antialias: 1 }],
    ["crop or pad to the aspect ratio", { ...size, cropToAspectRatio: true, padToAspectRatio: true }],
  ])("%s is checked", (part, options) => {
    expect(() => resizing(options as ResizingOptions)).toThrow(part);
  });

  it("suit images alone", () => {
    expect(() => resizing(size)(input({ shape: [5, 3] }))).toThrow("Resizing");
    expect(() => upSampling2d({ interpolation: "bicubic" as "nearest" })).toThrow("upSampling2d: interpolation");
  });
});

describe("merging layers", () => {
  const pair = (a: readonly number[], b: readonly number[]) => [input({ shape: a }), input({ shape: b })] as const;

  it.each([add, subtract, multiply, average, maximum, minimum])("%o broadcast as Keras does", (layer) => {
    expect(layer()(pair([4, 6, 8], [4, 6, 8])).shape).toEqual([4, 6, 8]);
    expect(layer()(pair([4, 6, 8], [1, 1, 8])).shape).toEqual([4, 6, 8]);
    // An axis of 1 comes behind the batch's.
    expect(layer()(pair([4, 6, 8], [6, 8])).shape).toEqual([4, 6, 8]);
    expect(() => layer()(pair([4, 6], [4, 5]))).toThrow("sizes agree or are 1");
    expect(() => layer()(input({ shape: [4] }))).toThrow(
      /takes (two inputs or more|2 inputs), as a list: layer\(\[a, b\]\)/,
    );
  });

  it("take any number of inputs, seven at a time", () => {
    const inputs = Array.from({ length: 16 }, () => input({ shape: [3] }));
    expect(average()(inputs).shape).toEqual([3]);
    expect(concatenate()(inputs).shape).toEqual([48]);
  });

  it("subtract takes two", () => {
    const inputs = Array.from({ length: 3 }, () => input({ shape: [3] }));
    expect(() => subtract()(inputs)).toThrow("takes 2 inputs");
  });

  it("concatenate joins along any axis but the batch's", () => {
    expect(concatenate({ axis: 1 })(pair([2, 3], [4, 3])).shape).toEqual([6, 3]);
    expect(() => concatenate({ axis: 0 })(pair([2, 3], [4, 3]))).toThrow("name one of 3 axes, not the batch's");
    expect(() => concatenate()(pair([2, 3], [4, 3]))).toThrow("alike but for axis 2, got [1, 2, 3], [1, 4, 3]");
  });
});

describe("dot", () => {
  const of = (options: Parameters<typeof dot>[0], a: number[], b: number[]) =>
    dot(options)([input({ shape: a }), input({ shape: b })]);

  it("has the other axes of the first input, then those of the second", () => {
    expect(of({ axes: 1 }, [7], [7]).shape).toEqual([1]);
    expect(of({ axes: [2, 1] }, [2, 5], [5, 3]).shape).toEqual([2, 3]);
    expect(of({ axes: [-2, -1], normalize: true }, [5, 2], [4, 3, 5]).shape).toEqual([2, 4, 3]);
    expect(of({ axes: [1, 2] }, [5], [4, 5]).shape).toEqual([4]);
  });

  it("refuses other axes and inputs", () => {
    expect(() => of({ axes: 1 }, [7], [6])).toThrow("along axes of 7 and 6 numbers, of [batch, 7] and [batch, 6]");
    expect(() => of({ axes: 0 }, [7], [7])).toThrow(
      'Dot "dot": axes must be of 2 axes beside the batch\'s for [batch, 7]',
    );
    expect(() => dot({ axes: 1 })(input({ shape: [7] }))).toThrow("takes 2 inputs");
    expect(() => dot({ axes: [1] as never })).toThrow("be an axis or a pair of them");
  });
});

describe("wrong calls", () => {
  it.each([
    [() => reshape({ targetShape: [-1, -1] }), "of which one may be -1"],
    [() => reshape({ targetShape: [5, 5] })(image()), "got [batch, 4, 6, 8], which has 192 numbers a sample"],
    [() => permute({ dims: [0, 1] }), "be 1, 2 and so on in some order"],
    [() => permute({ dims: [2, 1] })(image()), "has 2 dims, but its input [batch, 4, 6, 8] has 3 axes"],
    [() => zeroPadding2d({ padding: -1 }), "zeroPadding2d: padding"],
    [() => cropping2d({ cropping: [1, 2, 3] as never }), "[[top, bottom], [left, right]]"],
    [() => cropping2d({ cropping: 2 })(image()), "cuts 4 rows and 4 columns off [batch, 4, 6, 8]: nothing is left"],
    [() => upSampling2d({ size: 0 }), "upSampling2d: size"],
    [() => layerNormalization({ axis: 0 })(image()), "not the batch's"],
    [() => groupNormalization({ groups: 3 })(image()), "Choose groups that divide 8"],
    [() => groupNormalization({ groups: 0 }), "be at least 1, or -1"],
    [() => unitNormalization({ axis: [1, 1] })(image()), "not the batch's"],
    [() => rmsNormalization({ axis: 4 })(image()), "not the batch's"],
    [() => batchNormalization({ axis: 0 })(image()), "not the batch's"],
    [() => activation({ activation: sparsemax({ axis: 4 }) })(image()), "beside the batch's"],
    [() => rescaling({} as never), "rescaling: scale"],
    [() => pRelu({ sharedAxes: [4] })(image()), "be axes from 1 to 3"],
    [() => relu({ maxValue: -1 }), "relu: maxValue"],
    [() => gelu({ approx: true } as never), "approx"],
    [() => dense({ units: 1, activation: "gelu" as never }), "dense: activation"],
  ] as const)("%#: %o", (call, message) => {
    expect(call).toThrow(message);
  });
});
