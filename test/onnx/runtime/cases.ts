// Models that are written as ONNX files and run by ONNX Runtime beside us. Only `npm run test:onnx` asks for them.

import {
  activation,
  averagePooling1d,
  averagePooling2d,
  batchNormalization,
  conv1d,
  conv2d,
  conv2dTranspose,
  cropping1d,
  defineLayer,
  defineOp,
  dense,
  depthwiseConv2d,
  dropout,
  flatten,
  input,
  type Layer,
  type LayerSpec,
  type Model,
  maxPooling1d,
  maxPooling2d,
  model,
  ops,
  repeatVector,
  resizing,
  separableConv2d,
  sequential,
  typed,
  upSampling1d,
  upSampling2d,
  zeroPadding1d,
} from "../../../src/index.ts";
import type { OnnxRule } from "../../../src/onnx/onnx.ts";
import { randomArray } from "../../reference/random.ts";
import { articleLayers } from "../../support/models.ts";
import { sumTolerance, tolerances } from "../../support/tolerances.ts";
import { expressionCases } from "./expression-cases.ts";
import type { OnnxCase } from "./onnx-case.ts";

const onlyLayers = (...layers: readonly LayerSpec[]) => sequential(layers);

const sum = (): Layer =>
  defineLayer({ type: "Sum", call: ({ inputs, add }) => add(ops.add, { a: inputs[0]!, b: inputs[1]! }).c });

/** What a window may be, over images that it does not divide. */
function windows(): OnnxCase[] {
  const sizes = [
    { image: [7, 7], size: [3, 3], strides: [1, 1] },
    // More padding after the image than before it, along both axes.
    { image: [8, 7], size: [3, 4], strides: [2, 1] },
    { image: [7, 9], size: [2, 5], strides: [2, 3] },
    { image: [5, 9], size: [1, 1], strides: [2, 4] },
    { image: [65, 5], size: [4, 3], strides: [3, 1] },
  ] as const;
  return sizes.flatMap(({ image, size, strides }) =>
    (["valid", "same"] as const).flatMap((padding): OnnxCase[] => {
      const inputShape = [...image, 3];
      const name = `${padding} ${size.join("x")}/${strides.join("x")} over ${image.join("x")}`;
      const pooling = { poolSize: size, strides, padding, inputShape } as const;
      return [
        {
          name: `conv2d ${name}`,
          model: onlyLayers(conv2d({ filters: 5, kernelSize: size, strides, padding, inputShape })),
          tolerance: sumTolerance(size[0] * size[1] * 3),
        },
        { name: `maxPooling2d ${name}`, model: onlyLayers(maxPooling2d(pooling)), tolerance: tolerances.exact },
        {
          name: `averagePooling2d ${name}`,
          model: onlyLayers(averagePooling2d(pooling)),
          tolerance: tolerances.averagePooling,
        },
      ];
    }),
  );
}

function branches(): OnnxCase[] {
  const [left, right] = [input({ shape: [6, 5, 2], name: "left" }), input({ shape: [6, 5, 2], name: "right" })];
  const twin = conv2d({ filters: 3, kernelSize: 3, padding: "same", activation: "relu", name: "twin" });
  const both = sum()([twin(left), twin(right)]);
  const dropped = dropout({ rate: 0.5 })(both);
  const flat = flatten()(maxPooling2d({ poolSize: 2 })(dropped));
  const outputs = {
    map: both,
    same: dropped,
    digit: dense({ units: 4, activation: "softmax" })(flat),
    pixels: conv2d({ filters: 4, kernelSize: 1, activation: "softmax" })(both),
  };
  const made = model({ inputs: [left, right], outputs });
  const tolerance = sumTolerance(3 * 3 * 2);
  return [
    { name: "branches, a shared layer, two inputs, four outputs", model: made as Model<unknown>, tolerance },
    { name: "the same in NCHW", model: made as Model<unknown>, tolerance, options: { layout: "nchw" } },
  ];
}

function activations(): OnnxCase {
  const x = input({ shape: [5] });
  const kinds = ["linear", "relu", "sigmoid", "tanh", "elu", "leakyRelu", "softplus", "softmax"] as const;
  const outputs = Object.fromEntries(kinds.map((activation) => [activation, dense({ units: 33, activation })(x)]));
  return {
    name: "every activation",
    model: model({ inputs: x, outputs }) as Model<unknown>,
    tolerance: tolerances.elementwise,
  };
}

const scale = defineOp({
  name: "test/scale",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<{ readonly by: number }>(),
  infer: ({ x }) => ({ y: x }),
  rewrites: [
    {
      // It has no kernel of its own: 2 x is x + x.
      op: "test/scale",
      apply: (edit, node) => {
        const { x } = node.inputs;
        edit.replace([node], [edit.node(ops.add, node.name, { a: x!, b: x! }, {}, { c: node.outputs.y! })]);
        return true;
      },
    },
  ],
});

/** The squares of what comes in, added up by a kernel of one value. */
function squares(): OnnxCase {
  const layer = defineLayer({
    type: "Squares",
    inputShape: [7],
    call: ({ input, add }) => {
      const kernel = add(ops.fill, {}, { shape: [7, 2], value: 0.5 }).y;
      return add(ops.dense, { x: add(ops.multiply, { a: input, b: input }).c, kernel }).y;
    },
  });
  return { name: "products and constants", model: onlyLayers(layer), tolerance: sumTolerance(7) };
}

/** A layer on every image's pixels, as rows of one matrix; and an op of its own. */
function ownLayer(): OnnxCase {
  const perPixel = defineLayer({
    type: "PerPixel",
    inputShape: [4, 3, 2],
    variables: () => [{ name: "kernel", shape: [5, 2], initializer: "glorotUniform" }],
    call: ({ input, variables: { kernel }, add, shapeOf }) => {
      const [batch, h, w, c] = shapeOf(input) as [number, number, number, number];
      const { y: rows } = add(ops.reshape, { x: input }, { shape: [batch * h * w, c] });
      const { c: product } = add(ops.matmul, { a: rows, b: kernel! }, { transposeB: true });
      return add(ops.reshape, { x: add(scale, { x: product }, { by: 2 }).y }, { shape: [batch, h, w, 5] }).y;
    },
  });
  const rule: OnnxRule<typeof scale> = ({ inputs: { x }, attributes: { by }, readAsItLies, add, constant }) => {
    const { name, order } = readAsItLies(x);
    return { y: { name: add("Mul", [name, constant({ floats: [by], shape: [] })]), order } };
  };
  const made = onlyLayers(perPixel, conv2d({ filters: 2, kernelSize: 2 }), flatten(), dense({ units: 3 }));
  return {
    name: "an op and a layer of one's own",
    model: made,
    tolerance: sumTolerance(2 * 2 * 5),
    options: { rules: { "test/scale": rule } },
  };
}

/** Convolutions of images and of sequences, by all of their options. */
function convolutions(): OnnxCase[] {
  const images = { kernelSize: [3, 2], inputShape: [7, 8, 4] } as const;
  const sequences = { filters: 6, kernelSize: 3, inputShape: [9, 4] } as const;
  const layers: Readonly<Record<string, LayerSpec>> = {
    "conv2d, dilation": conv2d({ ...images, filters: 5, dilationRate: [2, 3], padding: "same" }),
    "conv2d, groups": conv2d({ ...images, filters: 6, groups: 2, strides: 2, activation: "relu" }),
    "depthwiseConv2d, dilation": depthwiseConv2d({ ...images, dilationRate: [1, 3], padding: "same" }),
    separableConv2d: separableConv2d({ ...images, filters: 5, depthMultiplier: 2, strides: 2, padding: "same" }),
    "conv2dTranspose, same": conv2dTranspose({ ...images, filters: 5, strides: [2, 3], padding: "same" }),
    "conv2dTranspose, valid": conv2dTranspose({ ...images, filters: 5, strides: [4, 1], activation: "tanh" }),
    "conv2dTranspose, output padding": conv2dTranspose({ ...images, filters: 2, strides: 3, outputPadding: [0, 2] }),
    "conv2dTranspose, dilation": conv2dTranspose({ ...images, filters: 2, dilationRate: 2, padding: "same" }),
    conv1d: conv1d({ ...sequences, strides: 2, padding: "same" }),
    "conv1d, causal": conv1d({ ...sequences, dilationRate: 2, padding: "causal", groups: 2 }),
    maxPooling1d: maxPooling1d({ poolSize: 3, strides: 2, padding: "same", inputShape: [9, 4] }),
    averagePooling1d: averagePooling1d({ poolSize: 3, strides: 2, padding: "same", inputShape: [10, 4] }),
    zeroPadding1d: zeroPadding1d({ padding: [1, 2], inputShape: [9, 4] }),
    cropping1d: cropping1d({ cropping: [1, 2], inputShape: [9, 4] }),
    upSampling1d: upSampling1d({ size: 3, inputShape: [9, 4] }),
    "upSampling2d, bilinear": upSampling2d({ size: [2, 3], interpolation: "bilinear", inputShape: [4, 6, 3] }),
    resizing: resizing({ height: 9, width: 5, inputShape: [4, 6, 3] }),
    "resizing, antialias": resizing({ height: 3, width: 5, antialias: true, inputShape: [8, 7, 3] }),
    "resizing, nearest, cropped": resizing({
      height: 6,
      width: 4,
      interpolation: "nearest",
      cropToAspectRatio: true,
      inputShape: [8, 7, 3],
    }),
    "resizing, padded": resizing({ height: 6, width: 4, padToAspectRatio: true, fillValue: 1, inputShape: [5, 7, 3] }),
    repeatVector: repeatVector({ n: 3, inputShape: [7] }),
  };
  return Object.entries(layers).map(([name, layer]) => ({
    name,
    model: onlyLayers(layer),
    tolerance: sumTolerance(3 * 2 * 8),
  }));
}

/** Made anew by each call: a model is compiled once. */
export function onnxCases(): OnnxCase[] {
  const article = () => sequential(articleLayers());
  return [
    {
      name: "the article's network",
      model: article(),
      tolerance: tolerances.softmax,
      winograd: true,
    },
    {
      name: "the article's network in NCHW",
      model: article(),
      tolerance: tolerances.softmax,
      options: { layout: "nchw" },
    },
    ...windows(),
    ...convolutions(),
    ...branches(),
    activations(),
    ...(["valid", "same"] as const).map((padding) => ({
      name: `depthwiseConv2d ${padding}, batchNormalization`,
      model: onlyLayers(
        depthwiseConv2d({ kernelSize: [3, 4], strides: [2, 1], padding, depthMultiplier: 2, inputShape: [8, 7, 3] }),
        batchNormalization({
          movingMeanInitializer: (shape) => Float32Array.from(randomArray(shape[0]!, 4)),
          movingVarianceInitializer: (shape) => Float32Array.from(randomArray(shape[0]!, 5), (value) => 1.5 + value),
        }),
        activation({ activation: "relu" }),
        flatten(),
        batchNormalization({ center: false, scale: false }),
        dense({ units: 4 }),
      ),
      tolerance: sumTolerance(3 * 4),
    })),
    ownLayer(),
    ...expressionCases(),
    squares(),
    {
      name: "no bias, one channel, one pixel",
      model: onlyLayers(
        conv2d({ filters: 1, kernelSize: 3, padding: "same", useBias: false, inputShape: [1, 1, 1] }),
        flatten(),
        dense({ units: 1, useBias: false }),
      ),
      tolerance: sumTolerance(9),
    },
  ];
}
