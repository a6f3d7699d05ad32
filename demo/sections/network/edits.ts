// What editing does to a network. The last layer stays where and what it is.

import type { LayerKind, LayerSpec, NetworkSpec, OptimizerName, OptimizerSpec } from "../../network.ts";
import { DEFAULT_RATES, MOST_LAYERS, sgdOf } from "../../network-check.ts";

const FRESH: Record<LayerKind, LayerSpec> = {
  conv2d: { kind: "conv2d", filters: 16, kernelSize: 3, strides: 1, padding: "valid", activation: "relu" },
  maxPooling2d: { kind: "maxPooling2d", poolSize: 2, strides: 2 },
  averagePooling2d: { kind: "averagePooling2d", poolSize: 2, strides: 2 },
  dropout: { kind: "dropout", rate: 0.25 },
  flatten: { kind: "flatten" },
  dense: { kind: "dense", units: 64, activation: "relu" },
};

/** Another layer in the place of one. */
export function withLayer(network: NetworkSpec, at: number, layer: LayerSpec): NetworkSpec {
  return { ...network, layers: network.layers.with(at, layer) };
}

export function canAdd({ layers }: NetworkSpec): boolean {
  return layers.length < MOST_LAYERS;
}

/** A new layer before the one at `at`. */
export function withNew(network: NetworkSpec, at: number, kind: LayerKind): NetworkSpec {
  return { ...network, layers: network.layers.toSpliced(at, 0, FRESH[kind]) };
}

export function canRemove({ layers }: NetworkSpec, at: number): boolean {
  return at >= 0 && at < layers.length - 1;
}

export function without(network: NetworkSpec, at: number): NetworkSpec {
  return { ...network, layers: network.layers.toSpliced(at, 1) };
}

/** Whether a layer can change places with that `by` places on. */
export function canMove(network: NetworkSpec, at: number, by: -1 | 1): boolean {
  return canRemove(network, at) && canRemove(network, at + by);
}

export function moved({ layers, ...rest }: NetworkSpec, at: number, by: -1 | 1): NetworkSpec {
  return { ...rest, layers: layers.with(at, layers[at + by]!).with(at + by, layers[at]!) };
}

/** Another optimizer, with the learning rate that it has by default. */
export function optimizerNamed(name: OptimizerName): OptimizerSpec {
  return { name, learningRate: DEFAULT_RATES[name] };
}

/** An optimizer with some of its numbers changed. */
export function withRate(
  optimizer: OptimizerSpec,
  change: { learningRate?: number; momentum?: number; nesterov?: boolean },
): OptimizerSpec {
  if (optimizer.name !== "sgd") return { ...optimizer, learningRate: change.learningRate ?? optimizer.learningRate };
  const { learningRate, momentum = 0, nesterov = false } = { ...optimizer, ...change };
  return sgdOf(learningRate, momentum, nesterov);
}
