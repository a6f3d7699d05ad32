// The networks that are measured, as plain data: every system builds its own model of them, and the useful arithmetic
// follows from the shapes.

export const NETWORK_NAMES = ["article", "second"] as const;

export type NetworkName = (typeof NETWORK_NAMES)[number];

export type LayerSpec =
  /** Stride 1, relu. */
  | {
      readonly kind: "conv2d";
      readonly filters: number;
      readonly kernelSize: number;
      readonly padding: "valid" | "same";
    }
  /** Windows of 2 x 2, stride 2, whole windows only. */
  | { readonly kind: "pooling"; readonly pooling: "max" | "average" }
  | { readonly kind: "flatten" }
  | { readonly kind: "dense"; readonly units: number; readonly activation: "relu" | "softmax" };

export interface NetworkSpec {
  /** Samples a training step. */
  readonly batch: number;
  /** Of one sample: height, width, channels. */
  readonly input: readonly [number, number, number];
  readonly layers: readonly LayerSpec[];
}

export const NETWORKS: Readonly<Record<NetworkName, NetworkSpec>> = {
  article: {
    batch: 128,
    input: [28, 28, 1],
    layers: [
      { kind: "conv2d", filters: 32, kernelSize: 5, padding: "valid" },
      { kind: "pooling", pooling: "max" },
      { kind: "conv2d", filters: 64, kernelSize: 5, padding: "valid" },
      { kind: "pooling", pooling: "max" },
      { kind: "flatten" },
      { kind: "dense", units: 1000, activation: "relu" },
      { kind: "dense", units: 10, activation: "softmax" },
    ],
  },
  /** Nothing in it has the article's shapes: what is fast only there shows. */
  second: {
    batch: 100,
    input: [28, 28, 1],
    layers: [
      { kind: "conv2d", filters: 24, kernelSize: 3, padding: "same" },
      { kind: "pooling", pooling: "average" },
      { kind: "conv2d", filters: 40, kernelSize: 3, padding: "same" },
      { kind: "pooling", pooling: "average" },
      { kind: "flatten" },
      { kind: "dense", units: 100, activation: "relu" },
      { kind: "dense", units: 10, activation: "softmax" },
    ],
  },
};

/** The same network for another batch size, and with so many times the filters. */
export function resized(network: NetworkSpec, { batch = network.batch, filters = 1 }): NetworkSpec {
  const wider = (layer: LayerSpec) =>
    layer.kind === "conv2d" ? { ...layer, filters: Math.round(layer.filters * filters) } : layer;
  return { ...network, batch, layers: network.layers.map(wider) };
}

/** Shapes of one sample, and of the kernel where the layer has one, in Keras's layouts: HWIO, [in, out]. */
export interface LayerShapes {
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly kernel: readonly number[] | undefined;
}

export function shapesOf(network: NetworkSpec): LayerShapes[] {
  let input: readonly number[] = network.input;
  return network.layers.map((layer) => {
    const shapes = { input, ...outputOf(layer, input) };
    input = shapes.output;
    return shapes;
  });
}

function outputOf(layer: LayerSpec, input: readonly number[]): Pick<LayerShapes, "output" | "kernel"> {
  const [h, w, c] = input as [number, number, number];
  switch (layer.kind) {
    case "conv2d": {
      const { filters, kernelSize, padding } = layer;
      const lost = padding === "same" ? 0 : kernelSize - 1;
      return { output: [h - lost, w - lost, filters], kernel: [kernelSize, kernelSize, c, filters] };
    }
    case "pooling":
      return { output: [h >> 1, w >> 1, c], kernel: undefined };
    case "flatten":
      return { output: [product(input)], kernel: undefined };
    case "dense":
      return { output: [layer.units], kernel: [input[0]!, layer.units] };
  }
}

/** Shapes of kernels and biases in Keras's order. */
export function weightShapes(network: NetworkSpec): (readonly number[])[] {
  return shapesOf(network).flatMap(({ kernel }) => (kernel ? [kernel, [kernel.at(-1)!]] : []));
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
  const work = shapesOf(network).flatMap(({ output, kernel }, layer) => {
    if (!kernel) return [];
    const n = kernel.at(-1)!;
    const k = product(kernel) / n;
    const m = (network.batch * product(output)) / n;
    return [{ layer, m, n, k, flop: 2 * m * n * k }];
  });
  return work.map(({ flop, ...rest }, i) => ({ ...rest, flop: { forward: flop, dX: i === 0 ? 0 : flop, dW: flop } }));
}

/** Useful floating-point operations of a training step. */
export function stepFlop(network: NetworkSpec): number {
  return workOf(network).reduce((sum, { flop }) => sum + flop.forward + flop.dX + flop.dW, 0);
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}
