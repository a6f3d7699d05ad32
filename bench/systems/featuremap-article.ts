// The article's example as README.md shows it and an app has it: what a bundler ships for it is what we weigh.

import { conv2d, dense, flatten, maxPooling2d, oneHot, sequential, sgd, tensor } from "../../src/index.ts";

/** `images`: 60,000 of 28 x 28 bytes, `labels` their digits, `digits` five more images. */
export async function example(images: Uint8Array, labels: Uint8Array, digits: Uint8Array): Promise<Float32Array> {
  const model = sequential([
    conv2d({ filters: 32, kernelSize: [5, 5], strides: [1, 1], activation: "relu", inputShape: [28, 28, 1] }),
    maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }),
    conv2d({ filters: 64, kernelSize: 5, activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 1000, activation: "relu" }),
    dense({ units: 10, activation: "softmax" }),
  ]);
  await model.compile({
    loss: "categoricalCrossentropy",
    optimizer: sgd({ learningRate: 0.01 }),
    metrics: ["accuracy"],
  });
  const x = tensor(images, [60000, 28, 28, 1], { scale: 1 / 255 });
  await model.fit(x, oneHot(labels, 10), { batchSize: 128, epochs: 10 });
  const { data } = await model.predict(tensor(digits, [5, 28, 28, 1]));
  model.dispose();
  return data;
}
