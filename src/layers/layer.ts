import { cut, FeaturemapError } from "../base/errors.ts";
import { batchShape, type Shape } from "../base/shape.ts";
import type { Attributes, TensorId } from "../graph/graph.ts";
import type { Op } from "../graph/op.ts";
import type { Initializer } from "./initializers.ts";

/** Numbers that a layer learns. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer;
}

/** Where a layer stands, for messages. */
export interface LayerPlace {
  /** `dense_1`, unique in the model. */
  readonly name: string;
  /** Shape of one sample of the input. */
  readonly input: Shape;
  /** Name of the layer before. */
  readonly from: string;
}

export interface LayerCall {
  readonly input: TensorId;
  /** In the order of `parameters`. */
  readonly parameters: readonly TensorId[];
  /** The step's state (`shaders/lib/state.wgsl`) where the graph trains. What happens in training only depends on there being one. */
  readonly trainingState: TensorId | undefined;
  /** Adds a node; the first of a layer bears the layer's name. */
  add(op: string, inputs: readonly TensorId[], attributes?: Attributes): readonly TensorId[];
  /** Shape of a tensor, its batch axis first. */
  shapeOf(tensor: TensorId): Shape;
}

/** A layer: a description, shared freely between models. A user's own layers come through this same door. */
export interface Layer {
  /** Keras's class name, as the summary prints it. */
  readonly type: string;
  /** Default: the type in snake case, numbered from the second on. */
  readonly name?: string | undefined;
  /** Shape of one sample; needed where the layer is the first and the shape shall be known before the data is. */
  readonly inputShape?: Shape | undefined;
  /** The options that make the layer again, as plain JSON, without name and inputShape: what `toConfig` writes down. */
  readonly config?: Readonly<Record<string, unknown>>;
  /**
   * Ops that the layer brings. Every model has `activation`, `add`, `dense`, `matmul`, `reshape`, `sgd` and `softmax`; others of
   * the library are taken from its layers: `ops: conv2d({ ... }).ops`.
   */
  readonly ops?: readonly Op[];
  /** What the layer learns, for an input of this shape. Throws a FeaturemapError where the shape does not suit it. */
  parameters(place: LayerPlace): readonly ParameterSpec[];
  /** Adds the layer's nodes to a graph and returns its output. */
  call(call: LayerCall): TensorId;
}

/** `Conv2D "conv2d_1"`, the subject of a layer's messages. */
export function subject(type: string, name: string): string {
  return `${cut(type)} "${cut(name)}"`;
}

/** @throws FeaturemapError `shape` unless a layer's input is images, [batch, height, width, channels] */
export function wantImages(type: string, { name, input, from }: LayerPlace): void {
  if (input.length === 3) return;
  const remedy = input.length === 2 ? ` Grey images have one channel: ${batchShape([...input, 1])}.` : "";
  throw new FeaturemapError(
    "shape",
    `${subject(type, name)} wants images [batch, height, width, channels], got ${batchShape(input)} from "${cut(from)}".${remedy}`,
  );
}
