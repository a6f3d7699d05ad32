import {
  conv2d,
  dense,
  flatten,
  type Layer,
  type LayerInfo,
  maxPooling2d,
  type Runtime,
  type Sequential,
  sequential,
  sgd,
} from "../src/index.ts";

export const CLASSES = 10;
export const LEARNING_RATE = 0.01;
/** Height, width and channels of one image. */
export const IMAGE_SHAPE = [28, 28, 1];

/** Of "Understanding Convolutional Neural Networks (CNN) with Keras". */
function layers(): Layer[] {
  return [
    conv2d({ filters: 32, kernelSize: 5, activation: "relu", inputShape: IMAGE_SHAPE }),
    maxPooling2d({ poolSize: 2 }),
    conv2d({ filters: 64, kernelSize: 5, activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 1000, activation: "relu" }),
    dense({ units: CLASSES, activation: "softmax" }),
  ];
}

/** A new model, ready to train from the start. */
export async function createModel(runtime: Runtime): Promise<Sequential> {
  const model = sequential(layers());
  await model.compile({
    loss: "sparseCategoricalCrossentropy",
    optimizer: sgd({ learningRate: LEARNING_RATE }),
    metrics: ["accuracy"],
    runtime,
    seed: 1,
  });
  return model;
}

/** What the model itself says of its layers; needs no GPU. */
export function describeLayers(): readonly LayerInfo[] {
  return sequential(layers()).layers;
}
