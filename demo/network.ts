// A network as the page keeps it: plain data, the same for the editor, the address, files and the engine.

export type Activation = "linear" | "relu" | "leakyRelu" | "elu" | "softplus" | "sigmoid" | "tanh" | "softmax";

export type LayerSpec =
  | {
      readonly kind: "conv2d";
      readonly filters: number;
      readonly kernelSize: number;
      readonly strides: number;
      readonly padding: "valid" | "same";
      readonly activation: Activation;
    }
  | { readonly kind: "maxPooling2d" | "averagePooling2d"; readonly poolSize: number; readonly strides: number }
  /** `rate`: the share of the numbers that becomes 0 at each step of training. */
  | { readonly kind: "dropout"; readonly rate: number }
  | { readonly kind: "flatten" }
  | { readonly kind: "dense"; readonly units: number; readonly activation: Activation };

export type LayerKind = LayerSpec["kind"];

export type OptimizerSpec =
  | {
      readonly name: "sgd";
      readonly learningRate: number;
      /** Default 0. */
      readonly momentum?: number;
      /** Default false. */
      readonly nesterov?: boolean;
    }
  | { readonly name: "adam" | "rmsprop" | "adagrad"; readonly learningRate: number };

export type OptimizerName = OptimizerSpec["name"];

export interface NetworkSpec {
  /** The last one gives a probability for each class: dense, softmax. */
  readonly layers: readonly LayerSpec[];
  readonly optimizer: OptimizerSpec;
  readonly batchSize: number;
}

/** Height, width and channels of one image. */
export const IMAGE_SHAPE = [28, 28, 1] as const;
export const IMAGE_PIXELS = 28 * 28;
export const DIGITS = 10;

/** Of "Understanding Convolutional Neural Networks (CNN) with Keras". */
export const ARTICLE: NetworkSpec = {
  layers: [
    { kind: "conv2d", filters: 32, kernelSize: 5, strides: 1, padding: "valid", activation: "relu" },
    { kind: "maxPooling2d", poolSize: 2, strides: 2 },
    { kind: "conv2d", filters: 64, kernelSize: 5, strides: 1, padding: "valid", activation: "relu" },
    { kind: "maxPooling2d", poolSize: 2, strides: 2 },
    { kind: "flatten" },
    { kind: "dense", units: 1000, activation: "relu" },
    { kind: "dense", units: DIGITS, activation: "softmax" },
  ],
  optimizer: { name: "sgd", learningRate: 0.01 },
  batchSize: 128,
};

/** All but the learning rate, which may change as it trains. */
export function sameNetwork(a: NetworkSpec, b: NetworkSpec): boolean {
  const body = ({ layers, optimizer, batchSize }: NetworkSpec) =>
    JSON.stringify([layers, { ...optimizer, learningRate: 0 }, batchSize]);
  return body(a) === body(b);
}
