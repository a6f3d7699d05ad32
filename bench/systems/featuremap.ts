// Ours, as README.md shows it: `fit` on a data set that is on the GPU.

import {
  conv2d,
  createDataset,
  createRuntime,
  type Dataset,
  dense,
  flatten,
  maxPooling2d,
  type Runtime,
  type Sequential,
  sequential,
  sgd,
  tensor,
} from "../../src/index.ts";
import { BATCH, type BenchData, type Group, imagesOf, LEARNING_RATE, PIXELS, type System } from "./system.ts";

export async function setup(data: BenchData): Promise<System> {
  const runtime = await createRuntime();
  const model = await compiledModel(runtime, data.weights);
  /** An app that classifies one image at a time has a model for one image: plans are made for the first batch size. */
  const single = await compiledModel(runtime, data.weights);
  const datasets = new Map<string, Dataset>();
  const datasetOf = async ({ first, steps }: Group) => {
    const key = `${first} ${steps}`;
    const known = datasets.get(key);
    if (known) return known;
    const samples = steps * BATCH;
    const dataset = await createDataset(runtime, {
      x: tensor(imagesOf(data, first, steps), [samples, 28, 28, 1], { scale: 1 / 255 }),
      y: tensor(Uint32Array.from(data.labels.subarray(first * BATCH, first * BATCH + samples)), [samples]),
    });
    datasets.set(key, dataset);
    return dataset;
  };
  return {
    async prepare(group) {
      await datasetOf(group);
    },
    async train(group) {
      const options = { batchSize: BATCH, epochs: group.epochs, shuffle: false, verbose: 0 } as const;
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
}

async function compiledModel(runtime: Runtime, weights: BenchData["weights"]): Promise<Sequential> {
  const model = sequential([
    conv2d({ filters: 32, kernelSize: 5, activation: "relu", inputShape: [28, 28, 1] }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 64, kernelSize: 5, activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 1000, activation: "relu" }),
    dense({ units: 10, activation: "softmax" }),
  ]);
  const optimizer = sgd({ learningRate: LEARNING_RATE });
  await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer, runtime });
  await model.setWeights(weights.map((values) => ({ data: values })));
  return model;
}
