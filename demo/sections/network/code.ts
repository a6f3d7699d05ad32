// The network as programs: Python with Keras 3, and TypeScript with this library. What is as by default is left out.

import {
  type Activation,
  IMAGE_SHAPE,
  type LayerSpec,
  type NetworkSpec,
  type OptimizerName,
  type OptimizerSpec,
} from "../../network.ts";
import { DEFAULT_RATES } from "../../network-check.ts";

/** Columns of a line. */
const WIDTH = 64;
const EPOCHS = 10;
/** Of `fit`, in both. */
const DEFAULT_BATCH_SIZE = 32;

type Options = readonly (readonly [name: string, value: string, byDefault?: string])[];

/** Those that are not as by default. */
const chosen = (options: Options) => options.filter(([, value, byDefault]) => value !== byDefault);

// Keras

const KERAS_OPTIMIZERS: Record<OptimizerName, string> = {
  sgd: "SGD",
  adam: "Adam",
  rmsprop: "RMSprop",
  adagrad: "Adagrad",
};

export function kerasCode({ layers, optimizer, batchSize }: NetworkSpec): string {
  const lines = layers.map((layer) => `    layers.${kerasLayer(layer)},\n`);
  const batch = python([["batch_size", `${batchSize}`, `${DEFAULT_BATCH_SIZE}`]]);
  const options = [...batch, `epochs=${EPOCHS}`, "validation_data=(x_test, y_test)"];
  return `import keras
from keras import layers
from keras.datasets import mnist

(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train[..., None].astype("float32") / 255
x_test = x_test[..., None].astype("float32") / 255

model = keras.Sequential([
    keras.Input((${IMAGE_SHAPE.join(", ")})),
${lines.join("")}])
model.compile(
    optimizer=${kerasOptimizer(optimizer)},
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(
    x_train,
    y_train,
${options.map((option) => `    ${option},\n`).join("")})
`;
}

function kerasLayer(layer: LayerSpec): string {
  switch (layer.kind) {
    case "conv2d": {
      const { filters, kernelSize, strides, padding, activation } = layer;
      const options = python([
        ["strides", `${strides}`, "1"],
        ["padding", `"${padding}"`, '"valid"'],
        ["activation", kerasActivation(activation), '"linear"'],
      ]);
      return `Conv2D(${[filters, kernelSize, ...options].join(", ")})`;
    }
    case "maxPooling2d":
    case "averagePooling2d": {
      const type = layer.kind === "maxPooling2d" ? "MaxPooling2D" : "AveragePooling2D";
      return `${type}(${python(poolOptions(layer, "pool_size")).join(", ")})`;
    }
    case "dropout":
      return `Dropout(${layer.rate})`;
    case "flatten":
      return "Flatten()";
    case "dense":
      return `Dense(${[layer.units, ...python([["activation", kerasActivation(layer.activation), '"linear"']])].join(", ")})`;
  }
}

/** `leakyRelu` is `leaky_relu` there. */
function kerasActivation(activation: Activation): string {
  return `"${activation.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}"`;
}

function kerasOptimizer(optimizer: OptimizerSpec): string {
  const options = python(optimizerOptions(optimizer, "learning_rate", PYTHON));
  return `keras.optimizers.${KERAS_OPTIMIZERS[optimizer.name]}(${options.join(", ")})`;
}

/** Keras refuses a whole number as a learning rate: 1 is written 1.0. */
const PYTHON = { float: (value: number) => (Number.isInteger(value) ? value.toFixed(1) : `${value}`), yes: "True" };

const python = (options: Options) => chosen(options).map(([name, value]) => `${name}=${value}`);

// featuremap

export function featuremapCode({ layers, optimizer, batchSize }: NetworkSpec): string {
  const lines = layers.map((layer, i) => `  ${featuremapLayer(layer, i === 0)},\n`);
  const used = new Set([...layers.map(({ kind }) => kind), optimizer.name, "fetchIdx", "sequential", "tensor"]);
  const optimizerCall = call(optimizer.name, optimizerOptions(optimizer, "learningRate"), "  optimizer: ");
  const batch = script([["batchSize", `${batchSize}`, `${DEFAULT_BATCH_SIZE}`]]);
  const fit = [...batch, `epochs: ${EPOCHS}`, 'validationData: await load("mnist/t10k")'];
  return `import ${braces([...used].sort(), 'import  from "featuremap"')} from "featuremap";

// MNIST's four files, unpacked or not, lie beside the page.
async function load(files: string) {
  const images = await fetchIdx(\`\${files}-images-idx3-ubyte\`);
  const labels = await fetchIdx(\`\${files}-labels-idx1-ubyte\`);
  const shape = [...images.shape, 1];
  const x = tensor(images.data, shape, { scale: 1 / 255 });
  return [x, tensor(labels.data, labels.shape)] as const;
}

const model = sequential([
${lines.join("")}]);
await model.compile({
  loss: "sparseCategoricalCrossentropy",
  optimizer: ${optimizerCall},
  metrics: ["accuracy"],
});
const [x, y] = await load("mnist/train");
await model.fit(x, y, ${braces(fit, "await model.fit(x, y, )")});
`;
}

function featuremapLayer(layer: LayerSpec, first: boolean): string {
  const input: Options = first ? [["inputShape", `[${IMAGE_SHAPE.join(", ")}]`]] : [];
  return call(layer.kind, [...layerOptions(layer), ...input], "  ");
}

function layerOptions(layer: LayerSpec): Options {
  switch (layer.kind) {
    case "conv2d":
      return [
        ["filters", `${layer.filters}`],
        ["kernelSize", `${layer.kernelSize}`],
        ["strides", `${layer.strides}`, "1"],
        ["padding", `"${layer.padding}"`, '"valid"'],
        ["activation", `"${layer.activation}"`, '"linear"'],
      ];
    case "maxPooling2d":
    case "averagePooling2d":
      return poolOptions(layer, "poolSize");
    case "dropout":
      return [["rate", `${layer.rate}`]];
    case "flatten":
      return [];
    case "dense":
      return [
        ["units", `${layer.units}`],
        ["activation", `"${layer.activation}"`, '"linear"'],
      ];
  }
}

const TYPESCRIPT = { float: (value: number) => `${value}`, yes: "true" };

const script = (options: Options) => chosen(options).map(([name, value]) => `${name}: ${value}`);

/** A call with an options object; `before` stands before it on its line. */
function call(name: string, options: Options, before: string): string {
  const items = script(options);
  return items.length > 0 ? `${name}(${braces(items, `${before}${name}()`)})` : `${name}()`;
}

/** On one line where there is room beside the line's `rest`, otherwise one a line. */
function braces(items: readonly string[], rest: string): string {
  const line = `{ ${items.join(", ")} }`;
  if (rest.length + line.length < WIDTH) return line;
  const indent = /^ */.exec(rest)![0];
  return `{\n${items.map((item) => `${indent}  ${item},\n`).join("")}${indent}}`;
}

// Both

function poolOptions({ poolSize, strides }: { poolSize: number; strides: number }, size: string): Options {
  return [
    [size, `${poolSize}`, "2"],
    ["strides", `${strides}`, `${poolSize}`],
  ];
}

function optimizerOptions(optimizer: OptimizerSpec, rate: string, { float, yes } = TYPESCRIPT): Options {
  const { momentum = 0, nesterov = false } = optimizer.name === "sgd" ? optimizer : {};
  return [
    [rate, float(optimizer.learningRate), float(DEFAULT_RATES[optimizer.name])],
    ["momentum", `${momentum}`, "0"],
    ["nesterov", nesterov ? yes : "", ""],
  ];
}
