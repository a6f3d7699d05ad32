import {
  averagePooling2d,
  conv2d,
  dense,
  flatten,
  type Layer,
  type Model,
  maxPooling2d,
  type Sequential,
  sequential,
  type TensorData,
  tensor,
} from "../../src/index.ts";
import { randomArray, randomIntegers } from "../reference/random.ts";

/** A small network with every kind of layer, on images of 12 x 12. */
export function smallModel(): Sequential {
  return sequential([
    conv2d({ filters: 6, kernelSize: 3, activation: "relu", inputShape: [12, 12, 1] }),
    maxPooling2d(),
    conv2d({ filters: 8, kernelSize: 3, padding: "same", activation: "tanh" }),
    averagePooling2d({ poolSize: 3, strides: 2 }),
    flatten(),
    dense({ units: 5, activation: "softmax" }),
  ]);
}

/** A small network for MNIST's digits. */
export function digitModel(): Sequential {
  return sequential([
    conv2d({ filters: 8, kernelSize: 5, strides: 2, activation: "relu", inputShape: [28, 28, 1] }),
    maxPooling2d(),
    flatten(),
    dense({ units: 10, activation: "softmax" }),
  ]);
}

/** A network that costs little to compile: for tests of what is around the kernels. */
export function tinyModel(): Sequential {
  return sequential([dense({ units: 3, activation: "softmax", inputShape: [4] })]);
}

/** The network of the article (Keras's MNIST CNN). */
export function articleLayers(): Layer[] {
  return [
    conv2d({ filters: 32, kernelSize: [5, 5], strides: [1, 1], activation: "relu", inputShape: [28, 28, 1] }),
    maxPooling2d({ poolSize: [2, 2], strides: [2, 2] }),
    conv2d({ filters: 64, kernelSize: 5, activation: "relu" }),
    maxPooling2d({ poolSize: 2 }),
    flatten(),
    dense({ units: 1000, activation: "relu" }),
    dense({ units: 10, activation: "softmax" }),
  ];
}

/** Samples of uniform noise and class numbers. */
export function noise(samples: number, shape: readonly number[], classes: number, seed = 1) {
  const size = shape.reduce((a, b) => a * b, samples);
  const x: TensorData = tensor(Float32Array.from(randomArray(size, seed)), [samples, ...shape]);
  const y: TensorData = tensor(Uint32Array.from(randomIntegers(samples, seed + 1, classes)), [samples]);
  return { x, y };
}

/** All parameters in one array. */
export async function allWeights(model: Pick<Model, "getWeights">): Promise<number[]> {
  return (await model.getWeights()).flatMap(({ data }) => [...data]);
}
