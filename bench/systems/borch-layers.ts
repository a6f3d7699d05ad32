// The benchmark's networks as borch's modules, up to the logits: the softmax is the loss's, and the forward pass's.

import { nn, noGrad, Tensor } from "borch";
import type { LayerSpec } from "../networks.ts";
import { type ChannelsFirst, channelsFirst, transposed } from "./channels-first.ts";
import type { BenchData } from "./system.ts";

/** The layers in the network's order, with its weights. Leaves tensors behind that nothing needs: wants a scope. */
export function layersOf(data: BenchData): nn.Module[] {
  const parameters = channelsFirst(data);
  return data.network.layers.flatMap((layer, i) => modulesOf(layer, parameters[i]!));
}

/** The same layers for training: max pooling before ReLU changes neither values nor gradients, and is less work. */
export function poolingFirst(layers: readonly nn.Module[]): nn.Module[] {
  const order = [...layers];
  for (let i = 1; i < order.length; i++) {
    const [before, pooling] = [order[i - 1]!, order[i]!];
    if (before instanceof nn.ReLU && pooling instanceof nn.MaxPool2d) order.splice(i - 1, 2, pooling, before);
  }
  return order;
}

function modulesOf(layer: LayerSpec, parameters: readonly ChannelsFirst[]): nn.Module[] {
  switch (layer.kind) {
    case "conv2d": {
      const [kernel, bias] = parameters;
      const [outputs, inputs] = kernel!.shape;
      const padding = layer.padding === "same" ? (layer.kernelSize - 1) / 2 : 0;
      const conv = new nn.Conv2d(inputs!, outputs!, layer.kernelSize, 1, padding);
      fill(conv, Tensor.from(kernel!.values, kernel!.shape), bias!.values);
      return [conv, new nn.ReLU()];
    }
    case "pooling":
      return [layer.pooling === "max" ? new nn.MaxPool2d(2) : new nn.AvgPool2d(2)];
    case "flatten":
      return [new nn.Flatten()];
    case "dense": {
      const [kernel, bias] = parameters;
      const [inputs, outputs] = kernel!.shape;
      const dense = new nn.Linear(inputs!, outputs!);
      fill(dense, Tensor.from(transposed(kernel!.values, kernel!.shape), [outputs!, inputs!]), bias!.values);
      return layer.activation === "relu" ? [dense, new nn.ReLU()] : [dense];
    }
    default:
      throw new Error(`${layer.kind}: borch is measured on plain networks only`);
  }
}

/** Puts weights in the place of random ones. */
function fill(layer: nn.Conv2d | nn.Linear, weight: Tensor, bias: Float32Array): void {
  noGrad(() => {
    layer.weight.copyFrom(weight);
    layer.bias.copyFrom(Tensor.from(bias, [bias.length]));
  });
}
