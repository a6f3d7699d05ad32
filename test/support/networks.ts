import { ARTICLE, type LayerSpec, type NetworkSpec, type OptimizerSpec } from "../../demo/network.ts";
import { OUTPUT } from "../../demo/network-check.ts";

export function networkOf(layers: readonly LayerSpec[], rest: Partial<NetworkSpec> = {}): NetworkSpec {
  return { ...ARTICLE, ...rest, layers: [...layers, OUTPUT] };
}

/** Every kind of layer, and every option not as by default. */
export const ALL_OPTIONS = networkOf(
  [
    { kind: "conv2d", filters: 3, kernelSize: 4, strides: 2, padding: "same", activation: "tanh" },
    { kind: "averagePooling2d", poolSize: 3, strides: 1 },
    { kind: "conv2d", filters: 128, kernelSize: 2, strides: 1, padding: "valid", activation: "linear" },
    { kind: "maxPooling2d", poolSize: 3, strides: 3 },
    { kind: "flatten" },
    { kind: "dropout", rate: 0.35 },
    { kind: "dense", units: 7, activation: "sigmoid" },
    { kind: "dense", units: 1, activation: "linear" },
  ],
  { optimizer: { name: "sgd", learningRate: 0.05, momentum: 0.9, nesterov: true }, batchSize: 17 },
);

/** The least that fits, and everything as by default. */
export const BARE = networkOf([{ kind: "flatten" }], { batchSize: 32 });

export const OPTIMIZERS: readonly OptimizerSpec[] = [
  { name: "sgd", learningRate: 0.01 },
  { name: "sgd", learningRate: 0.1, momentum: 0.5 },
  { name: "adam", learningRate: 0.001 },
  { name: "rmsprop", learningRate: 0.0005 },
  { name: "adagrad", learningRate: 1 },
];
