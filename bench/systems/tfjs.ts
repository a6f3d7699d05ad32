// TensorFlow.js by its layers API, as its own MNIST example is written (tensorflow/tfjs-examples, mnist): a compiled
// model and `model.fit`. The samples lie on the device before the first step. `yieldEvery: "never"` leaves the
// steps in one queue, and `fit` without callbacks reads its loss once an epoch.

import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { shapesOf } from "../arithmetic.ts";
import { inputsOf, type LayerSpec, type NetworkSpec } from "../networks.ts";
import {
  type BenchData,
  CLASSES,
  firstImages,
  type Group,
  imagesOf,
  LEARNING_RATE,
  oneHotOf,
  type System,
  scaled,
} from "./system.ts";

/** Wants the backend's module to be imported before. */
export async function setupTfjs(backend: string, data: BenchData): Promise<System> {
  tf.enableProdMode();
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend "${backend}" here`);
  await tf.ready();
  const { batch: batchSize, input: shape } = data.network;
  const model = compiledModel(data);
  const batches = new Map<string, { x: tf.Tensor; y: tf.Tensor }>();
  const batchesOf = ({ first, steps }: Group) => {
    const key = `${first} ${steps}`;
    const known = batches.get(key);
    if (known) return known;
    const samples = steps * batchSize;
    const made = {
      x: tf.tensor4d(scaled(imagesOf(data, first, steps)), [samples, ...shape]),
      y: tf.tensor2d(oneHotOf(data, first, steps), [samples, CLASSES]),
    };
    batches.set(key, made);
    return made;
  };
  return {
    async prepare(group) {
      batchesOf(group);
    },
    async train(group) {
      const { x, y } = batchesOf(group);
      const { history } = await model.fit(x, y, {
        batchSize,
        epochs: group.epochs,
        shuffle: false,
        verbose: 0,
        yieldEvery: "never",
      });
      return Number(history.loss!.at(-1));
    },
    async infer(batch) {
      const pixels = scaled(firstImages(data, batch));
      const probabilities = tf.tidy(() => model.predict(tf.tensor4d(pixels, [batch, ...shape])) as tf.Tensor);
      try {
        return (await probabilities.data()) as Float32Array;
      } finally {
        probabilities.dispose();
      }
    },
    ...(backend === "webgl" ? { gpuBytes } : {}),
    dispose() {
      for (const { x, y } of batches.values()) tf.dispose([x, y]);
      model.dispose();
    },
  };
}

function compiledModel({ network, weights }: BenchData): layers.LayersModel {
  const [model, made] = modelOf(network);
  const optimizer = network.momentum ? tf.train.momentum(LEARNING_RATE, network.momentum) : tf.train.sgd(LEARNING_RATE);
  model.compile({ optimizer, loss: "categoricalCrossentropy" });
  const rest = [...weights];
  tf.tidy(() => {
    shapesOf(network).forEach((shapes, i) => {
      made[i]!.setWeights(shapes.weights.map(({ shape }) => tf.tensor(rest.shift()!, [...shape])));
    });
  });
  return model;
}

/** The model, and its layers in the network's order. */
function modelOf({ input, layers: specs }: NetworkSpec): [layers.LayersModel, layers.layers.Layer[]] {
  const image = layers.input({ shape: [...input] });
  const outputs: layers.SymbolicTensor[] = [];
  const made = specs.map((spec, place) => {
    const layer = layerOf(spec);
    const from = inputsOf(spec, place).map((at) => (at < 0 ? image : outputs[at]!));
    outputs.push(layer.apply(from.length === 1 ? from[0]! : from) as layers.SymbolicTensor);
    return layer;
  });
  return [layers.model({ inputs: image, outputs: outputs.at(-1)! }), made];
}

function layerOf(layer: LayerSpec): layers.layers.Layer {
  switch (layer.kind) {
    case "conv2d": {
      const { filters, kernelSize, padding, strides = 1, activation = "relu", useBias = true } = layer;
      return layers.layers.conv2d({ filters, kernelSize, padding, strides, activation, useBias });
    }
    case "depthwiseConv2d":
      return layers.layers.depthwiseConv2d({ kernelSize: 3, strides: layer.strides, padding: "same", useBias: false });
    case "batchNormalization":
      return layers.layers.batchNormalization();
    case "relu":
      return layers.layers.reLU();
    case "add":
      return layers.layers.add();
    case "pooling":
      return layers.layers[layer.pooling === "max" ? "maxPooling2d" : "averagePooling2d"]({ poolSize: 2 });
    case "globalAveragePooling":
      return layers.layers.globalAveragePooling2d({});
    case "flatten":
      return layers.layers.flatten();
    case "dense":
      return layers.layers.dense({ units: layer.units, activation: layer.activation });
  }
}

/** Of textures, those kept for reuse too: what the WebGL backend has taken. */
function gpuBytes(): number {
  return (tf.memory() as { numBytesInGPUAllocated?: number }).numBytesInGPUAllocated ?? 0;
}
