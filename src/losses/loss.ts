import { cut, wrong } from "../base/errors.ts";
import { isShape, type Shape } from "../base/shape.ts";
import type { ColumnKind } from "../data/columns.ts";
import type { Add } from "../graph/op.ts";
import type { Node, TensorId } from "../graph/tensor.ts";

/** Facts about an output's labels before the GPU sees them. */
export type LabelKind = Pick<ColumnKind, "shape" | "dtype" | "largestClass" | "notClass" | "negative" | "distinct"> & {
  /** Labels that are on the host, a `Float32Array`, or a `Uint32Array` where `dtype` is `u32`; `undefined` for those on the GPU. */
  readonly words?: ArrayBufferView | undefined;
};

/** Call of a loss or a metric: the tensors that it compares, and how it adds nodes. */
export interface LossCall {
  /** Output of the model, [batch, ...output]. */
  readonly output: TensorId;
  /** Labels, [batch, ...labels]. */
  readonly labels: TensorId;
  /** State of the step (`shaders/lib/state.wgsl`), from which kernels read the rows in use. */
  readonly state: TensorId;
  /** Adds a node. */
  readonly add: Add;
  /** Shape of a tensor, its batch axis first. */
  shapeOf(tensor: TensorId): Shape;
  /** Finds the node that makes a tensor. Labels have none. */
  producerOf(tensor: TensorId): Node | undefined;
  /** Name of the output, for messages. */
  readonly outputName: string;
}

/** Call of a loss's factors. */
export interface FactorsCall extends Pick<LossCall, "output" | "labels" | "state" | "add" | "shapeOf"> {
  /** Weights of the samples, [batch]; `undefined` if there are none. */
  readonly weights: TensorId | undefined;
}

/**
 * Loss: which labels it takes, and each sample's loss as a differentiable value. `fit` steps by the gradient of its mean over the batch.
 * If a model has several outputs, it steps by that of a weighted sum of such means.
 */
export interface Loss {
  readonly name: string;
  /** Name of the library's loss that this is, and the options that make it again, as plain JSON. `saveModel` writes them down. */
  readonly made?: { readonly by: string; readonly config: Readonly<Record<string, unknown>> };
  /** Gives the shape and type of one sample's labels, for a model with this output. If it is `f32`, class numbers come as floats. */
  labels(output: Shape): { readonly shape: Shape; readonly dtype: "f32" | "u32" };
  /**
   * Whether `call` also takes labels [batch, ...output] with a weight for each class, in place of class numbers: what `mixUp` makes of
   * them. Default false.
   */
  readonly takesRows?: boolean;
  /** @throws FeaturemapError where the labels do not suit the loss or the model's output */
  check(labels: LabelKind, output: Shape): void;
  /** Adds nodes out of ops that have gradients. Returns each sample's loss, [batch]. */
  call(call: LossCall): TensorId;
  /**
   * Adds nodes for the factor of each sample's loss, [batch], in place of the sample's weight. So the mean becomes another reduction; see
   * `withReduction`. Returns `undefined` for no factors. Default: the weights.
   */
  factors?(call: FactorsCall): TensorId | undefined;
}

/** Gives the labels that a loss takes. @throws FeaturemapError `value` where an app's own says no shape or type */
export function labelsOf(loss: Loss, output: Shape): ReturnType<Loss["labels"]> {
  const kind = loss.labels(output);
  if (isShape(kind?.shape) && ["f32", "u32"].includes(kind.dtype)) return kind;
  throw wrong(`Loss "${cut(loss.name)}": labels()`, 'give { shape, dtype: "f32" or "u32" }', kind);
}
