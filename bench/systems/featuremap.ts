// Ours, as README.md shows it: `fit` on a data set that is on the GPU.

import {
  averagePooling2d,
  conv2d,
  createDataset,
  createRuntime,
  type Dataset,
  dense,
  flatten,
  type Layer,
  maxPooling2d,
  type Runtime,
  type Sequential,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import type { LayerSpec, NetworkSpec } from "../networks.ts";
import {
  type BenchData,
  type Group,
  imagesOf,
  LEARNING_RATE,
  labelsOf,
  PIXELS,
  type Setup,
  type System,
} from "./system.ts";

const POOLINGS = { max: maxPooling2d, average: averagePooling2d };

export const setup: Setup = async (data): Promise<System> => {
  const runtime = await createRuntime();
  const { batch: batchSize } = data.network;
  const model = await compiledModel(runtime, data);
  /** An app that classifies one image at a time has a model for one image: plans are made for the first batch size. */
  const single = await compiledModel(runtime, data);
  const datasets = new Map<string, Dataset>();
  const datasetOf = async ({ first, steps }: Group) => {
    const key = `${first} ${steps}`;
    const known = datasets.get(key);
    if (known) return known;
    const samples = steps * batchSize;
    const dataset = await createDataset(runtime, {
      x: tensor(imagesOf(data, first, steps), [samples, 28, 28, 1], { scale: 1 / 255 }),
      y: tensor(Uint32Array.from(labelsOf(data, first, steps)), [samples]),
    });
    datasets.set(key, dataset);
    return dataset;
  };
  return {
    async prepare(group) {
      await datasetOf(group);
    },
    async train(group) {
      const options = { batchSize, epochs: group.epochs, shuffle: false, verbose: 0 } as const;
      const { history } = await model.fit(await datasetOf(group), options);
      return history.loss!.at(-1)!;
    },
    async infer(batch) {
      const x = tensor(data.images.subarray(0, batch * PIXELS), [batch, 28, 28, 1], { scale: 1 / 255 });
      const { data: probabilities } = await (batch === 1 ? single : model).predict(x, { batchSize: batch });
      return probabilities;
    },
    dispose() {
      for (const dataset of datasets.values()) dataset.dispose();
      model.dispose();
      single.dispose();
      runtime.dispose();
    },
  };
};

async function compiledModel(runtime: Runtime, { network, weights }: BenchData): Promise<Sequential> {
  const model = sequential(layersOf(network));
  const optimizer = sgd({ learningRate: LEARNING_RATE });
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime });
  await model.setWeights(weights.map((values) => ({ data: values })));
  return model;
}

export function layersOf({ input, layers }: NetworkSpec): Layer[] {
  return layers.map((layer, i) => layerOf(layer, i === 0 ? { inputShape: input } : {}));
}

function layerOf(layer: LayerSpec, first: { inputShape?: readonly number[] }): Layer {
  switch (layer.kind) {
    case "conv2d": {
      const { filters, kernelSize, padding } = layer;
      return conv2d({ filters, kernelSize, padding, activation: "relu", ...first });
    }
    case "pooling":
      return POOLINGS[layer.pooling]({ poolSize: 2 });
    case "flatten":
      return flatten();
    case "dense":
      return dense({ units: layer.units, activation: layer.activation });
  }
}
