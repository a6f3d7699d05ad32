import { cut, FeaturemapError } from "../base/errors.ts";
import { batchShape, type Shape } from "../base/shape.ts";
import type { Add } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Initializer, WordInitializer } from "./initializers.ts";

/** Variable of a layer: numbers that it keeps from step to step. */
export interface VariableSpec {
  readonly name: string;
  readonly shape: Shape;
  readonly initializer: Initializer | WordInitializer;
  /** Role: a `parameter` (default) is learned by gradients; a `statistic`, such as a moving mean, is changed by the layer's own nodes. */
  readonly role?: "parameter" | "statistic";
  /**
   * Whether a parameter is learned while the layer is trainable. Default true. Of one that is not, no gradient is computed. It is saved,
   * and counted as not trainable. A statistic is never learned.
   */
  readonly trainable?: boolean;
  /**
   * Type of its numbers. Default `f32`. Whole numbers, `u32`, are a statistic that is no weight, such as a seed or a count: snapshots keep
   * them, `getWeights` and `saveModel` do not. They begin with `zeros`, `ones` or what a function gives as a Uint32Array.
   */
  readonly dtype?: "f32" | "u32";
  /** @internal First values that the model has which the layer was taken from: `getLayer`. */
  readonly carried?: (() => Promise<Float32Array | Uint32Array | undefined>) | undefined;
  /** Adds nodes that change a parameter in place after each step of the optimizer, if it is learned. See `defineConstraint`. */
  constrain?(call: ConstraintCall): void;
}

/** Call of a parameter's constraint, once a step. */
export interface ConstraintCall {
  readonly parameter: TensorId;
  /** Adds a node and returns its outputs by name. */
  readonly add: Add;
  shapeOf(tensor: TensorId): Shape;
}

/** Name and inputs that a layer is built for. */
export interface LayerInput {
  /** Name of the layer, unique in the model: `dense_1`. */
  readonly name: string;
  /** Shape of one sample of the input, or of the first of several. */
  readonly input: Shape;
  /** Shapes of one sample of each input. */
  readonly inputs: readonly Shape[];
  /** Name of the layer before. */
  readonly from: string;
}

export interface LayerCall {
  /** Input, or the first of several. */
  readonly input: TensorId;
  readonly inputs: readonly TensorId[];
  /** Variables of the layer, by their names. */
  readonly variables: Readonly<Record<string, TensorId>>;
  /** State of the step (`shaders/lib/state.wgsl`) in a training graph; `undefined` otherwise. Dropout, say, depends on it. */
  readonly trainingState: TensorId | undefined;
  /** Whether the layer's parameters are learned. It is false if the layer was frozen when the model was compiled. */
  readonly trainable: boolean;
  /** Adds a node and returns its outputs by name. The first node of a layer has the layer's name. */
  readonly add: Add;
  /** Shape of a tensor, its batch axis first. */
  shapeOf(tensor: TensorId): Shape;
}

/** What a layer's `call` returns: its output, or a list of several. */
export type LayerOutputs = TensorId | readonly TensorId[];

/** Tensors of a use of a layer, [batch, ...]. */
export interface LayerUseTensors {
  readonly inputs: readonly TensorId[];
  /** Output, or the first of several. */
  readonly output: TensorId;
  readonly outputs: readonly TensorId[];
}

/** Call of a layer's `losses`. */
export interface LayerLossCall {
  /** Uses of the layer. A shared layer has several. */
  readonly uses: readonly LayerUseTensors[];
  /** Variables of the layer, by their names. */
  readonly variables: Readonly<Record<string, TensorId>>;
  /** Whether the layer's parameters are learned. Keras leaves out penalties of those that are not. */
  readonly trainable: boolean;
  /** State of the step (`shaders/lib/state.wgsl`), from which kernels read the rows in use. */
  readonly state: TensorId;
  /** Adds a node and returns its outputs by name. */
  readonly add: Add;
  /** Shape of a tensor, its batch axis first. */
  shapeOf(tensor: TensorId): Shape;
}

/** Definition of a layer. The library's own and a user's have the same interface. */
export interface LayerSpec<Outputs extends LayerOutputs = TensorId> {
  /** Keras's class name, as the summary prints it. */
  readonly type: string;
  /** Name in the model. Default: the type in snake case, numbered from the second on. */
  readonly name?: string | undefined;
  /** Shape of one sample. The first layer needs it if the shape must be known before the data. */
  readonly inputShape?: Shape | undefined;
  /** Whether its parameters are learned, read when a model is compiled. Default true. */
  readonly trainable?: boolean | undefined;
  /** Options that make the layer again, as plain JSON, without name and inputShape. `toConfig` writes them down. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Gives the layer's variables for these inputs. Throws a FeaturemapError if a shape does not suit it. Default: no variables. */
  variables?(built: LayerInput): readonly VariableSpec[];
  /** Adds the layer's nodes to a graph and returns its output, or a list of several. Each has a row a sample, of 32-bit floats. */
  call(call: LayerCall): Outputs;
  /**
   * Adds terms of the loss beside those of the outputs, such as a penalty of the layer's weights: Keras's `add_loss`. It is called once
   * for each layer, however often that is used. Each term is a differentiable tensor [1]. `fit` steps by the gradient of the sum of
   * all, and `loss` is the sum. Default: none.
   */
  losses?(call: LayerLossCall): readonly TensorId[];
}

/** Layer of one output or of several. */
export type AnyLayer = LayerSpec<LayerOutputs>;

declare const SYMBOLIC: unique symbol;

/** Symbolic tensor: a value without numbers, out of which `model()` builds a network. It is an input or the output of a layer. */
export interface SymbolicTensor {
  readonly [SYMBOLIC]: true;
  /** Shape of one sample. */
  readonly shape: Shape;
  /** Layer that makes it; `undefined` for an input. */
  readonly layer: AnyLayer | undefined;
  readonly inputs: readonly SymbolicTensor[];
  /** Name of an input, if it was given one. */
  readonly name?: string | undefined;
}

/**
 * All symbolic tensors, each with the outputs of the call that makes it. Objects that only look like one are not among them. It is no
 * property, since a tensor is among the outputs itself.
 */
const symbolicTensors = /* @__PURE__ */ new WeakMap<object, readonly SymbolicTensor[]>();

/** Makes an input. */
export function symbolicInput(shape: Shape, name: string | undefined): SymbolicTensor {
  const tensor = frozen({ layer: undefined, inputs: [], name, shape });
  symbolicTensors.set(tensor, []);
  return tensor;
}

/** Makes the outputs of a call of a layer. */
export function symbolicOutputs(
  layer: AnyLayer,
  inputs: readonly SymbolicTensor[],
  shapes: readonly Shape[],
): readonly SymbolicTensor[] {
  const outputs = Object.freeze(shapes.map((shape) => frozen({ layer, inputs, shape })));
  for (const tensor of outputs) symbolicTensors.set(tensor, outputs);
  return outputs;
}

function frozen(parts: Omit<SymbolicTensor, typeof SYMBOLIC>): SymbolicTensor {
  return Object.freeze({ ...parts, shape: Object.freeze([...parts.shape]) }) as SymbolicTensor;
}

export function isSymbolic(value: unknown): value is SymbolicTensor {
  return typeof value === "object" && value !== null && symbolicTensors.has(value);
}

/** Lists the outputs of the call that makes a tensor, itself among them. None for an input. */
export function callOutputs(tensor: SymbolicTensor): readonly SymbolicTensor[] {
  return symbolicTensors.get(tensor)!;
}

/** Symbolic tensors of a layer's outputs: one, or a list as long as what `call` returns. */
export type SymbolicOutputs<Outputs extends LayerOutputs> = Outputs extends readonly TensorId[]
  ? { readonly [Place in keyof Outputs]: SymbolicTensor }
  : SymbolicTensor;

/**
 * Layer: a description, which `sequential` takes once for each place in its list. Called on symbolic tensors, it makes another one, or a
 * list of them if it has several outputs. Their shapes are known at once. A layer that is called several times in a model is shared: it
 * has one set of parameters there. Other models may have it with parameters of other shapes.
 */
export interface Layer<Outputs extends LayerOutputs = TensorId> extends LayerSpec<Outputs> {
  /**
   * Whether its parameters are learned. It can be set at any time. A model goes by what it is when the model is compiled, until it is
   * compiled again.
   */
  trainable?: boolean | undefined;
  (input: SymbolicTensor | readonly SymbolicTensor[]): SymbolicOutputs<Outputs>;
}

/** Gives the subject of a layer's messages: `Conv2D "conv2d_1"`. */
export function subject(type: string, name: string): string {
  return `${cut(type)} "${cut(name)}"`;
}

/** @throws FeaturemapError `shape` unless a layer's input is images, [batch, height, width, channels] */
export function assertImageInput(type: string, { name, input, from }: LayerInput): void {
  if (input.length === 3) return;
  const remedy = input.length === 2 ? ` Grey images have one channel: ${batchShape([...input, 1])}.` : "";
  throw new FeaturemapError(
    "shape",
    `${subject(type, name)} wants images [batch, height, width, channels], got ${batchShape(input)} from "${cut(from)}".${remedy}`,
  );
}
