// Models that are written as ONNX files and run by ONNX Runtime beside us. Only `npm run test:onnx` asks for them.

import {
  activation,
  averagePooling2d,
  batchNormalization,
  conv2d,
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
  maxPooling2d,
  model,
  ops,
  sequential,
  typed,
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
