// What follows from a network's shapes: its weights, and the useful arithmetic of a training step.

import { inputsOf, type LayerSpec, type NetworkSpec } from "./networks.ts";

export type Role = "kernel" | "bias" | "gamma" | "beta" | "mean" | "variance";

export interface WeightSpec {
  readonly role: Role;
  /** In Keras's layouts: HWIO, a depthwise kernel [kH, kW, channels, 1], [in, out]. */
  readonly shape: readonly number[];
}

/** Shapes of one sample, and weights in Keras's order. */
export interface LayerShapes {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly weights: readonly WeightSpec[];
}

export function shapesOf(network: NetworkSpec): LayerShapes[] {
  const outputs: (readonly number[])[] = [];
  return network.layers.map((layer, place) => {
    const from = inputsOf(layer, place)[0]!;
    const input = from < 0 ? network.input : outputs[from]!;
    const shapes = { input, output: outputOf(layer, input), weights: weightsOf(layer, input) };
    outputs.push(shapes.output);
    return shapes;
  });
}

function outputOf(layer: LayerSpec, input: readonly number[]): readonly number[] {
  const [h, w, c] = input as [number, number, number];
  switch (layer.kind) {
    case "conv2d": {
      const { filters, kernelSize, padding, strides = 1 } = layer;
      const lost = padding === "same" ? 0 : kernelSize - 1;
      return [Math.ceil((h - lost) / strides), Math.ceil((w - lost) / strides), filters];
    }
    case "depthwiseConv2d":
      return [Math.ceil(h / layer.strides), Math.ceil(w / layer.strides), c];
    case "batchNormalization":
    case "relu":
    case "add":
      return input;
    case "pooling":
      return [h >> 1, w >> 1, c];
    case "globalAveragePooling":
      return [c];
    case "flatten":
      return [product(input)];
    case "dense":
      return [layer.units];
  }
}

function weightsOf(layer: LayerSpec, input: readonly number[]): WeightSpec[] {
  const channels = input.at(-1)!;
  switch (layer.kind) {
    case "conv2d": {
      const { filters, kernelSize, useBias = true } = layer;
      const kernel: WeightSpec = { role: "kernel", shape: [kernelSize, kernelSize, channels, filters] };
      return useBias ? [kernel, { role: "bias", shape: [filters] }] : [kernel];
    }
    case "depthwiseConv2d":
      return [{ role: "kernel", shape: [layer.kernelSize, layer.kernelSize, channels, 1] }];
    case "batchNormalization":
      return (["gamma", "beta", "mean", "variance"] as const).map((role) => ({ role, shape: [channels] }));
    case "dense":
      return [
        { role: "kernel", shape: [channels, layer.units] },
        { role: "bias", shape: [layer.units] },
      ];
    default:
      return [];
  }
}

/** Weights in the order of the layers. */
export function weightSpecs(network: NetworkSpec): WeightSpec[] {
  return shapesOf(network).flatMap(({ weights }) => weights);
}

export const DIRECTIONS = ["forward", "dX", "dW"] as const;

/** A layer's output, its input's gradient, its parameters' gradients. */
export type Direction = (typeof DIRECTIONS)[number];

/** A layer's matrix product [m, k] x [k, n] for a whole batch; its gradients have as many multiply-adds. */
export interface LayerWork {
  /** Place in the network's layers. */
  readonly layer: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Floating-point operations of each direction, two a multiply-add; none for the input's gradient of the first layer. */
  readonly flop: Readonly<Record<Direction, number>>;
}

/** The useful arithmetic of a training step: the direct algorithm's, of the layers that multiply. */
export function workOf(network: NetworkSpec): LayerWork[] {
  const work = shapesOf(network).flatMap(({ output, weights }, layer) => {
    const kernel = weights.find(({ role }) => role === "kernel")?.shape;
    if (!kernel) return [];
    const n = output.at(-1)!;
    // Each number of a depthwise convolution's output comes of its own channel alone.
    const k = network.layers[layer]!.kind === "depthwiseConv2d" ? kernel[0]! * kernel[1]! : product(kernel) / n;
    const m = (network.batch * product(output)) / n;
    return [{ layer, m, n, k, flop: 2 * m * n * k }];
  });
  return work.map(({ flop, ...rest }, i) => ({ ...rest, flop: { forward: flop, dX: i === 0 ? 0 : flop, dW: flop } }));
}

/** Useful floating-point operations of a training step. */
export function stepFlop(network: NetworkSpec): number {
  return workOf(network).reduce((sum, { flop }) => sum + flop.forward + flop.dX + flop.dW, 0);
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
