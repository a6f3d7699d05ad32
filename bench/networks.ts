// The networks that are measured, as plain data: every system builds its own model of them.

/** The first two have layers in a row; the scaling bench and most of the GPU kit are about such. `resnet18` is for GPUs. */
export const NETWORK_NAMES = ["article", "second", "resnet", "mobilenet", "resnet18"] as const;

export type NetworkName = (typeof NETWORK_NAMES)[number];

/** Networks of the GPU kit, whose time is short. Their layers lie in a row. */
export const PLAIN_NETWORKS = ["article", "second"] as const satisfies readonly NetworkName[];

export type LayerSpec =
  | {
      readonly kind: "conv2d";
      readonly filters: number;
      readonly kernelSize: number;
      readonly padding: "valid" | "same";
      /** Default 1. */
      readonly strides?: number;
      /** Default relu. */
      readonly activation?: "relu" | "linear";
      /** Default true. */
      readonly useBias?: boolean;
      /** Place of the layer whose output it takes. Default: the layer before. */
      readonly from?: number;
    }
  /** Kernels of 3 x 3, `same` padding, neither bias nor activation. */
  | { readonly kind: "depthwiseConv2d"; readonly kernelSize: 3; readonly strides: number }
  /** Over the channels, Keras's defaults: momentum 0.99, epsilon 0.001. */
  | { readonly kind: "batchNormalization" }
  | { readonly kind: "relu" }
  /** Sum of another layer's output and of that of the layer before. */
  | { readonly kind: "add"; readonly from: number }
  /** Windows of 2 x 2, stride 2, whole windows only. */
  | { readonly kind: "pooling"; readonly pooling: "max" | "average" }
  | { readonly kind: "globalAveragePooling" }
  | { readonly kind: "flatten" }
  | { readonly kind: "dense"; readonly units: number; readonly activation: "relu" | "softmax" };

export interface NetworkSpec {
  /** Samples a training step. */
  readonly batch: number;
  /** Of one sample: height, width, channels. */
  readonly input: readonly [number, number, number];
  readonly layers: readonly LayerSpec[];
  /** Momentum of the gradient descent. Default 0. */
  readonly momentum?: number;
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
  resnet: { batch: 32, input: [32, 32, 3], layers: resnetLayers(), momentum: 0.9 },
  mobilenet: { batch: 32, input: [32, 32, 3], layers: mobilenetLayers(), momentum: 0.9 },
  resnet18: { batch: 64, input: [32, 32, 3], layers: resnet18Layers(), momentum: 0.9 },
};

/**
 * The ResNet-8 of MLPerf Tiny (https://github.com/mlcommons/tiny, image classification): one block in each of the stages of 16, 32 and 64
 * filters. Its convolutions have no biases here, since batch normalization takes them away again.
 */
function resnetLayers(): LayerSpec[] {
  const stages = [
    [16, 1],
    [32, 2],
    [64, 2],
  ] as const;
  return residualLayers(16, stages, (side) => [side]);
}

/**
 * The ResNet-18 of He et al. 2015 as it is taken for images of 32 x 32: its first convolution is of 3 x 3 without stride, and no pooling
 * follows. `bench/gpu/torch_step.py` has the same.
 */
function resnet18Layers(): LayerSpec[] {
  const stages = [
    [64, 1],
    [64, 1],
    [128, 2],
    [128, 1],
    [256, 2],
    [256, 1],
    [512, 2],
    [512, 1],
  ] as const;
  return residualLayers(64, stages, normalized);
}

/** A convolution, then residual blocks of two. `side` makes what stands beside a block with a stride, of a convolution of 1 x 1. */
function residualLayers(
  first: number,
  blocks: readonly (readonly [filters: number, strides: number])[],
  side: (convolution: LayerSpec) => LayerSpec[],
): LayerSpec[] {
  const layers: LayerSpec[] = [...normalized(convolution(first, 3, 1)), { kind: "relu" }];
  for (const [filters, strides] of blocks) {
    const input = layers.length - 1;
    layers.push(...normalized(convolution(filters, 3, strides)), { kind: "relu" });
    layers.push(...normalized(convolution(filters, 3, 1)));
    const main = layers.length - 1;
    if (strides === 1) layers.push({ kind: "add", from: input });
    else layers.push(...side({ ...convolution(filters, 1, strides), from: input }), { kind: "add", from: main });
    layers.push({ kind: "relu" });
  }
  return [...layers, ...head()];
}

/** A stack as MobileNet's (Howard et al. 2017): a convolution, then depthwise ones, each before one of 1 x 1. */
function mobilenetLayers(): LayerSpec[] {
  const layers: LayerSpec[] = [...normalized(convolution(16, 3, 1)), { kind: "relu" }];
  for (const [filters, strides] of [
    [32, 1],
    [64, 2],
    [64, 1],
    [128, 2],
    [128, 1],
  ] as const) {
    layers.push(...normalized({ kind: "depthwiseConv2d", kernelSize: 3, strides }), { kind: "relu" });
    layers.push(...normalized(convolution(filters, 1, 1)), { kind: "relu" });
  }
  return [...layers, ...head()];
}

type Convolution = Extract<LayerSpec, { kind: "conv2d" }>;

function convolution(filters: number, kernelSize: number, strides: number): Convolution {
  return { kind: "conv2d", filters, kernelSize, strides, padding: "same", activation: "linear", useBias: false };
}

function normalized(layer: LayerSpec): LayerSpec[] {
  return [layer, { kind: "batchNormalization" }];
}

function head(): LayerSpec[] {
  return [{ kind: "globalAveragePooling" }, { kind: "dense", units: 10, activation: "softmax" }];
}

/** Places of the layers whose outputs a layer takes; -1 is the input. */
export function inputsOf(layer: LayerSpec, place: number): number[] {
  if (layer.kind === "add") return [layer.from, place - 1];
  return [(layer.kind === "conv2d" ? layer.from : undefined) ?? place - 1];
}

/** The same network for another batch size, and with so many times the filters. */
export function resized(network: NetworkSpec, { batch = network.batch, filters = 1 }): NetworkSpec {
  const wider = (layer: LayerSpec) =>
    layer.kind === "conv2d" ? { ...layer, filters: Math.round(layer.filters * filters) } : layer;
  return { ...network, batch, layers: network.layers.map(wider) };
}
