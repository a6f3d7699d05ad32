// From the page's description of a network to the library's model.

import {
  adagrad,
  adam,
  averagePooling2d,
  conv2d,
  dense,
  dropout,
  flatten,
  type Layer,
  type Model,
  maxPooling2d,
  type Optimizer,
  rmsprop,
  type Sequential,
  sequential,
  sgd,
} from "../../src/index.ts";
import { IMAGE_SHAPE, type LayerSpec, type NetworkSpec, type OptimizerSpec } from "../network.ts";

export interface LayerDescription {
  readonly name: string;
  /** Keras's class name. */
  readonly type: string;
  /** Of one sample. */
  readonly outputShape: readonly number[];
  readonly parameters: number;
}

/** @throws FeaturemapError `shape`, `value` where a layer does not fit what is before it */
export function modelOf({ layers }: Pick<NetworkSpec, "layers">): Model {
  const model = sequential([]);
  for (const layer of layers) append(model, layer);
  return model;
}

export function optimizerOf(optimizer: OptimizerSpec): Optimizer {
  const { name, ...options } = optimizer;
  return { sgd, adam, rmsprop, adagrad }[name](options);
}

function layerOf(layer: LayerSpec, first: { inputShape?: readonly number[] }): Layer {
  switch (layer.kind) {
    case "conv2d": {
      const { kind, ...options } = layer;
      return conv2d({ ...options, ...first });
    }
    case "maxPooling2d":
      return maxPooling2d({ poolSize: layer.poolSize, strides: layer.strides, ...first });
    case "averagePooling2d":
      return averagePooling2d({ poolSize: layer.poolSize, strides: layer.strides, ...first });
    case "dropout":
      return dropout({ rate: layer.rate, ...first });
    case "flatten":
      return flatten(first);
    case "dense":
      return dense({ units: layer.units, activation: layer.activation, ...first });
  }
}

/** What the model itself says of its layers, as far as they fit, and the error of the first that does not. No GPU. */
export function describe(spec: Pick<NetworkSpec, "layers">): {
  readonly layers: readonly LayerDescription[];
  readonly problem?: { readonly layer: number; readonly message: string };
} {
  const model = sequential([]);
  for (const [i, layer] of spec.layers.entries()) {
    try {
      append(model, layer);
    } catch (error) {
      return { layers: model.layers, problem: { layer: i, message: (error as Error).message } };
    }
  }
  return { layers: model.layers };
}

/** Appends a layer. The library's dense layers take images too; those of this page make one row of numbers of another. */
function append(model: Sequential, layer: LayerSpec): void {
  const before = model.layers.at(-1)?.outputShape ?? IMAGE_SHAPE;
  if (layer.kind === "dense" && before.length > 1)
    throw new Error(
      `A dense layer of this page wants a row of numbers, not ${before.join(" x ")}. Add a flatten before it.`,
    );
  model.add(layerOf(layer, model.layers.length === 0 ? { inputShape: IMAGE_SHAPE } : {}));
}
