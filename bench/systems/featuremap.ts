// Ours, as README.md shows it: `fit` on a data set that is on the GPU.

import {
  activation,
  add,
  averagePooling2d,
  batchNormalization,
  conv2d,
  createDataset,
  createRuntime,
  type Dataset,
  dense,
  depthwiseConv2d,
  flatten,
  globalAveragePooling2d,
  input,
  type Layer,
  type Model,
  maxPooling2d,
  model,
  type Runtime,
  type SymbolicTensor,
  sgd,
  tensor,
} from "../../src/index.ts";
import { inputsOf, type LayerSpec, type NetworkSpec } from "../networks.ts";
import {
  type BenchData,
  firstImages,
  type Group,
  imagesOf,
  LEARNING_RATE,
  labelsOf,
  type Setup,
  type System,
} from "./system.ts";

const POOLINGS = { max: maxPooling2d, average: averagePooling2d };

export const setup: Setup = async (data): Promise<System> => {
  const runtime = await createRuntime();
  const { batch: batchSize, input: shape } = data.network;
  const many = await compiledModel(runtime, data);
  /** An app that classifies one image at a time has a model for one image: plans are made for the first batch size. */
  const single = await compiledModel(runtime, data);
  const datasets = new Map<string, Dataset>();
  const datasetOf = async ({ first, steps }: Group) => {
    const key = `${first} ${steps}`;
    const known = datasets.get(key);
    if (known) return known;
    const samples = steps * batchSize;
    const dataset = await createDataset(runtime, {
      x: tensor(imagesOf(data, first, steps), [samples, ...shape], { scale: 1 / 255 }),
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
      const { history } = await many.fit(await datasetOf(group), options);
      return history.loss!.at(-1)!;
    },
    async infer(batch) {
      const x = tensor(firstImages(data, batch), [batch, ...shape], { scale: 1 / 255 });
      const { data: probabilities } = await (batch === 1 ? single : many).predict(x, { batchSize: batch });
      return probabilities;
    },
    dispose() {
      for (const dataset of datasets.values()) dataset.dispose();
      many.dispose();
      single.dispose();
      runtime.dispose();
    },
  };
};

async function compiledModel(runtime: Runtime, { network, weights }: BenchData): Promise<Model> {
  const made = modelOf(network);
  const optimizer = sgd({ learningRate: LEARNING_RATE, momentum: network.momentum ?? 0 });
  await made.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime });
  await made.setWeights(weights.map((values) => ({ data: values })));
  return made;
}

/** The network by the functional API, for some of them branch. */
export function modelOf({ input: shape, layers }: NetworkSpec): Model {
  const image = input({ shape });
  const outputs: SymbolicTensor[] = [];
  layers.forEach((spec, place) => {
    const from = inputsOf(spec, place).map((at) => (at < 0 ? image : outputs[at]!));
    outputs.push(spec.kind === "add" ? add()(from) : layerOf(spec)(from[0]!));
  });
  return model({ inputs: image, outputs: outputs.at(-1)! });
}

function layerOf(layer: Exclude<LayerSpec, { kind: "add" }>): Layer {
  switch (layer.kind) {
    case "conv2d": {
      const { kind, from, activation = "relu", ...options } = layer;
      return conv2d({ ...options, activation });
    }
    case "depthwiseConv2d":
      return depthwiseConv2d({ kernelSize: 3, strides: layer.strides, padding: "same", useBias: false });
    case "batchNormalization":
      return batchNormalization();
    case "relu":
      return activation({ activation: "relu" });
    case "pooling":
      return POOLINGS[layer.pooling]({ poolSize: 2 });
    case "globalAveragePooling":
      return globalAveragePooling2d();
    case "flatten":
      return flatten();
    case "dense":
      return dense({ units: layer.units, activation: layer.activation });
  }
}
