// The benchmark's networks in jax-js, up to the logits. Images are NCHW. Max pooling comes before ReLU, which changes neither
// values nor gradients, and is less work.

import { type Array as Arr, lax, nn, numpy as np } from "@jax-js/jax";
import { inputsOf, type LayerSpec, type NetworkSpec } from "../networks.ts";
import { channelsFirst } from "./channels-first.ts";
import type { BenchData } from "./system.ts";

/** Parameters in the order of the layers: kernel, bias, kernel and so on, scales and offsets among them. */
export type Params = Arr[];
/** Moving means and variances in the order of the layers, [1, channels, 1, 1]. */
export type Statistics = Arr[];

const EPSILON = 0.001;
const BATCH_AND_PLACES = [0, 2, 3];

export interface Forward {
  /** Up to the logits: the softmax is the loss's, and `predict`'s. */
  readonly logits: Arr;
  /** Means and variances: of the batch in training, else those that were given. */
  readonly statistics: Statistics;
}

export function forward(
  { layers }: NetworkSpec,
  params: Params,
  statistics: Statistics | undefined,
  image: Arr,
): Forward {
  const [rest, given, found] = [[...params], [...(statistics ?? [])], [] as Arr[]];
  // An array is given away where it is used last, and by reference before.
  const uses = layers.map((_, place) => layers.filter((layer, i) => inputsOf(layer, i).includes(place)).length);
  const outputs: Arr[] = [];
  const take = (place: number) => {
    if (place < 0) return image;
    uses[place]!--;
    return uses[place] ? outputs[place]!.ref : outputs[place]!;
  };
  const outputOf = (layer: LayerSpec, place: number): Arr => {
    const [x, y] = inputsOf(layer, place).map(take) as [Arr, Arr];
    const isPooled = isMaxPooling(layers[place + 1]);
    switch (layer.kind) {
      case "conv2d": {
        const { strides = 1, padding, activation = "relu", useBias = true } = layer;
        const conv = lax.conv(x, rest.shift()!, [strides, strides], padding === "same" ? "SAME" : "VALID");
        const biased = useBias ? conv.add(rest.shift()!) : conv;
        return activation === "linear" || isPooled ? biased : nn.relu(biased);
      }
      case "depthwiseConv2d": {
        const groups = { featureGroupCount: x.shape[1]! };
        return lax.convGeneralDilated(x, rest.shift()!, [layer.strides, layer.strides], "SAME", groups);
      }
      case "batchNormalization": {
        const [gamma, beta] = [rest.shift()!, rest.shift()!];
        const keepdims = { keepdims: true };
        const mean = statistics ? given.shift()! : np.mean(x.ref, BATCH_AND_PLACES, keepdims);
        const variance = statistics
          ? given.shift()!
          : np.mean(np.square(x.ref.sub(mean.ref)), BATCH_AND_PLACES, keepdims);
        found.push(mean.ref, variance.ref);
        const scale = gamma.div(np.sqrt(variance.add(EPSILON)));
        return x.sub(mean).mul(scale).add(beta);
      }
      case "relu":
        return nn.relu(x);
      case "add":
        return x.add(y);
      case "pooling": {
        const pooled = lax.reduceWindow(x, layer.pooling === "max" ? np.max : np.mean, [2, 2], [2, 2]);
        return isMaxPooling(layer) && layers[place - 1]?.kind === "conv2d" ? nn.relu(pooled) : pooled;
      }
      case "globalAveragePooling":
        return np.mean(x, [2, 3]);
      case "flatten":
        return x.reshape([x.shape[0]!, -1]);
      case "dense": {
        const dense = np.dot(x, rest.shift()!).add(rest.shift()!);
        return layer.activation === "relu" ? nn.relu(dense) : dense;
      }
    }
  };
  layers.forEach((layer, place) => {
    outputs.push(outputOf(layer, place));
  });
  return { logits: outputs.at(-1)!, statistics: found };
}

function isMaxPooling(layer: LayerSpec | undefined): boolean {
  return layer?.kind === "pooling" && layer.pooling === "max";
}

/** Kernels of OIHW and [in, out]; what belongs to a convolution's channels is shaped to be added to them. */
export function weightsOf(data: BenchData): { params: Params; statistics: Statistics } {
  const made: { params: Params; statistics: Statistics } = { params: [], statistics: [] };
  channelsFirst(data).forEach((weights, i) => {
    const isDense = data.network.layers[i]!.kind === "dense";
    for (const { role, values, shape } of weights) {
      const to = role === "mean" || role === "variance" ? made.statistics : made.params;
      to.push(np.array(values).reshape(shape.length === 1 && !isDense ? [1, shape[0]!, 1, 1] : [...shape]));
    }
  });
  return made;
}
