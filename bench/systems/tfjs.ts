// TensorFlow.js by its layers API, as its own MNIST example is written (tensorflow/tfjs-examples, mnist): a compiled
// `tf.sequential` and `model.fit`. The samples lie on the device before the first step. `yieldEvery: "never"` leaves the
// steps in one queue, and `fit` without callbacks reads its loss once an epoch.

import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { type LayerSpec, type NetworkSpec, weightShapes } from "../networks.ts";
import {
  type BenchData,
  CLASSES,
  type Group,
  imagesOf,
  LEARNING_RATE,
  oneHotOf,
  PIXELS,
  type System,
  scaled,
} from "./system.ts";

/** Wants the backend's module to be imported before. */
export async function setupTfjs(backend: string, data: BenchData): Promise<System> {
  tf.enableProdMode();
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend "${backend}" here`);
  await tf.ready();
  const { batch: batchSize } = data.network;
  const model = compiledModel(data);
  const batches = new Map<string, { x: tf.Tensor; y: tf.Tensor }>();
  const batchesOf = ({ first, steps }: Group) => {
    const key = `${first} ${steps}`;
    const known = batches.get(key);
    if (known) return known;
    const samples = steps * batchSize;
    const made = {
      x: tf.tensor4d(scaled(imagesOf(data, first, steps)), [samples, 28, 28, 1]),
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
      const pixels = scaled(data.images.subarray(0, batch * PIXELS));
      const probabilities = tf.tidy(() => model.predict(tf.tensor4d(pixels, [batch, 28, 28, 1])) as tf.Tensor);
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

function compiledModel({ network, weights }: BenchData): layers.Sequential {
  const model = layers.sequential({ layers: layersOf(network) });
  model.compile({ optimizer: tf.train.sgd(LEARNING_RATE), loss: "categoricalCrossentropy" });
  const shapes = weightShapes(network);
  tf.tidy(() => model.setWeights(weights.map((values, i) => tf.tensor(values, [...shapes[i]!]))));
  return model;
}

function layersOf({ input, layers: specs }: NetworkSpec) {
  return specs.map((layer, i) => layerOf(layer, i === 0 ? { inputShape: [...input] } : {}));
}

function layerOf(layer: LayerSpec, first: { inputShape?: number[] }) {
  const { conv2d, maxPooling2d, averagePooling2d, flatten, dense } = layers.layers;
  switch (layer.kind) {
    case "conv2d": {
      const { filters, kernelSize, padding } = layer;
      return conv2d({ filters, kernelSize, padding, activation: "relu", ...first });
    }
    case "pooling":
      return (layer.pooling === "max" ? maxPooling2d : averagePooling2d)({ poolSize: 2 });
    case "flatten":
      return flatten();
    case "dense":
      return dense({ units: layer.units, activation: layer.activation });
  }
}

/** Of textures, those kept for reuse too: what the WebGL backend has taken. */
function gpuBytes(): number {
  return (tf.memory() as { numBytesInGPUAllocated?: number }).numBytesInGPUAllocated ?? 0;
}
