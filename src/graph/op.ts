import type { Dispatch } from "../wgsl/kernel.ts";
import type { Source } from "../wgsl/specialize.ts";
import type { Attributes, Node, Tensor, TensorId, TensorSpec } from "./tensor.ts";
import type { AdapterClass, Tile, TileRequest } from "./tile.ts";

type Always<Names extends string> = Names extends `${string}?` ? never : Names;
type Sometimes<Names extends string> = Names extends `${infer Name}?` ? Name : never;

/** Names without the question marks of optional ones: `"x" | "bias?"` becomes `"x" | "bias"`. */
export type Bare<Names extends string> = Always<Names> | Sometimes<Names>;

/** Value for each name. It may be missing if the name ends in a question mark. */
export type Named<Names extends string, Value> = { readonly [Name in Always<Names>]: Value } & {
  readonly [Name in Sometimes<Names>]?: Value | undefined;
};

/** Attributes of an op that has none. */
export type NoAttributes = Readonly<Record<never, never>>;

/** Last argument of a call that adds a node. It may be left out if the op needs no attributes. */
export type GivenAttributes<A extends object> = NoAttributes extends A ? [attributes?: A] : [attributes: A];

/** Function that adds a node and returns its outputs by name. */
export type Add = <I extends string, O extends string, A extends object>(
  op: Op<I, O, A>,
  inputs: Named<I, TensorId>,
  ...attributes: GivenAttributes<A>
) => Named<O, TensorId>;

/**
 * Work that an op's kernels can do beside the op itself. The shared rewrites move it there, so these names of inputs, outputs and
 * attributes are the same for all ops:
 *
 * - `activation`: output `y` becomes act(y); attribute `activation`
 * - `pooling`: output `y` becomes a pooling of it, with output `routes`; attributes `pool` and `average`
 * - `unpooling`: input `dy` comes through such a pooling, with input `routes`; attributes `pool` and `average`
 * - `derivative`: output `dx` becomes dx * act'(x), with input `x`, an activation's output; attribute `gradientActivation`
 * - `residual`: output `y` becomes y + residual, before the activation; input `residual`, of the same shape
 * - `update`: each output `dp` becomes a step of the input `p` in place, with input `rate`; attribute `update`, the op's name
 */
export type Fusion = "activation" | "pooling" | "unpooling" | "derivative" | "residual" | "update";

/** Operation, as the compiler sees it. `defineOp` makes it out of an `OpDefinition`. */
export interface Op<I extends string = string, O extends string = string, A extends object = object> {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Type only; there is no value. */
  readonly signature?: { readonly inputs: I; readonly outputs: O; readonly attributes: A };
  infer(
    inputs: Readonly<Record<string, TensorSpec>>,
    attributes: Attributes,
    where: string,
  ): Readonly<Record<string, TensorSpec | undefined>>;
  readonly updates?: readonly string[];
  gradient?(context: GradientContext<string, string, Attributes>): Readonly<Record<string, TensorId | undefined>>;
  lower?(context: LowerContext<string, string, Attributes>): readonly Dispatch<TensorId>[];
  readonly fuses?: readonly Fusion[];
  readonly inPlace?: InPlace;
  readonly rewrites?: readonly Rewrite[];
  readonly algorithms?: readonly Algorithm[];
  readonly view?: boolean;
  readonly sharesDispatch?: boolean;
}

/**
 * Definition of an op, as its author writes it. An op with neither `lower` nor `view` lasts only until a rewrite replaces it.
 *
 * Names of optional inputs and outputs end in a question mark: `["x", "kernel", "bias?"]`.
 */
export interface OpDefinition<I extends string, O extends string, A extends object> {
  /** Name, unique among the ops of a model. */
  readonly name: string;
  readonly inputs: readonly I[];
  readonly outputs: readonly O[];
  /** Type of the op's attributes: `attributes: typed<{ readonly rate: number }>()`. Default: none. */
  readonly attributes?: A | undefined;
  /** Shape rule. Throws a FeaturemapError `shape` if the inputs do not fit. `where` is the node's name. */
  infer(inputs: Named<I, TensorSpec>, attributes: A, where: string): Named<O, TensorSpec>;
  /** Inputs that the op changes in place, if they are given. Default: none. */
  readonly updates?: readonly Bare<I>[];
  /**
   * Gradient rule, in reverse mode. It adds the nodes that turn the outputs' gradients into the inputs', and returns a tensor for each
   * input that has a gradient. Inputs that are not `wanted` may be left out.
   */
  gradient?(context: GradientContext<I, O, A>): { readonly [Name in Bare<I>]?: TensorId | undefined };
  /** Gives the kernel calls that compute the node. */
  lower?(context: LowerContext<I, O, A>): readonly Dispatch<TensorId>[];
  /** Other work that the kernels can do. The library's rewrites move it there. Default: none. */
  readonly fuses?: readonly Fusion[];
  /** Way to step a parameter inside the kernel that makes its gradient, if the op steps one. Default: it cannot. */
  readonly inPlace?: InPlace;
  /** Rewrites that come into a model with this op. Each names the op whose nodes it starts at. */
  readonly rewrites?: readonly Rewrite[];
  /** Other ways to compute a node, out of nodes of other ops. They are chosen from after the rewrites. */
  readonly algorithms?: readonly Algorithm[];
  /** Whether the output is the first input under another shape, without kernel and copy. Default false. */
  readonly view?: boolean;
  /**
   * Whether its dispatch is so short that on processors, too, it shares one with those of other such ops. For GPUs all dispatches are
   * merged that can be. Default false.
   */
  readonly sharesDispatch?: boolean;
}

/** Way of an op with inputs `p`, `g` and `rate` to run inside the kernel that makes the gradient g. */
export interface InPlace {
  /** Library that defines `update(p: Channels, g: Channels) -> Channels` and binds `rate`, as `shaders/updates/lib/step.wgsl` does. */
  readonly library: Source;
  /** Tells whether `library` does all that a node does. */
  fits(node: Node): boolean;
}

export interface GradientContext<I extends string, O extends string, A extends object> {
  readonly node: Node;
  readonly attributes: A;
  readonly inputs: Named<I, TensorId>;
  readonly outputs: Named<O, TensorId>;
  /** Gradient of each output; `undefined` if the differentiated value does not depend on it. */
  readonly gradients: { readonly [Name in Bare<O>]?: TensorId | undefined };
  /** Whether each input's gradient is wanted. */
  readonly wanted: Readonly<Record<Bare<I>, boolean>>;
  /** State of the step, `shaders/lib/state.wgsl`. */
  readonly state: TensorId;
  tensor(id: TensorId): Tensor;
  /** Adds a node. Its name is the forward node's, followed by the op's. */
  readonly add: Add;
}

export interface LowerContext<I extends string, O extends string, A extends object> {
  readonly node: Node;
  readonly attributes: A;
  readonly inputs: Named<I, Tensor>;
  readonly outputs: Named<O, Tensor>;
  /** Class of adapter that the plan is made for. */
  readonly adapter: AdapterClass;
  /** Gives the tile for a matrix product (see `tile.ts`). */
  tile(product: TileRequest): Tile;
  /** Storage buffers that a shader may bind. */
  readonly storageBuffers: number;
  /** Makes a tensor that lives only within this node. */
  scratch(name: string, spec: TensorSpec): TensorId;
  /** Gives an op of the graph, by its name. */
  op(name: string): Op | undefined;
}

/** Replacement that starts at the nodes of one op. It sees the whole graph, so it may replace nodes of other ops too. */
export interface Rewrite {
  /** Name of the op whose nodes it starts at. It is called for no others. */
  readonly op: string;
  /** Whether it is tried only after all rewrites that are not late. Default false. */
  readonly late?: boolean;
  /**
   * Replaces what it recognises, and tells whether it did. It is called again for a node when something has changed that it read from
   * `edit`. So it keeps nothing from call to call.
   */
  apply(edit: GraphEdit, node: Node): boolean;
}

/** Algorithm: another way to compute a node than its op's own kernels, which are called "direct". */
export interface Algorithm {
  readonly name: string;
  /** Estimates how many times less work it takes than "direct", transforms included. 0: it cannot compute the node. */
  saving(edit: GraphEdit, node: Node): number;
  /** Gives the bytes of the largest tensor that it makes and "direct" does not. Default 0. */
  largestTensor?(edit: GraphEdit, node: Node): number;
  /** Puts the algorithm's nodes in the place of the node. */
  apply(edit: GraphEdit, node: Node): void;
}

/** Changes that a rewrite may make to a graph. */
export interface GraphEdit {
  readonly nodes: readonly Node[];
  /** State of the step, `shaders/lib/state.wgsl`. */
  readonly state: TensorId;
  /** Class of adapter that the graph is rewritten for. */
  readonly adapter: AdapterClass;
  /** Gives the op of a node. */
  opOf(node: Node): Op;
  tensor(id: TensorId): Tensor;
  producer(id: TensorId): Node | undefined;
  readers(id: TensorId): readonly Node[];
  /** Tells whether the tensor is a result of the graph, or is read by a node that is not listed. */
  usedElsewhere(id: TensorId, nodes: readonly Node[]): boolean;
  /** Puts nodes in the place of others. A tensor that only the removed nodes made or read goes with them. */
  replace(nodes: readonly Node[], by: readonly Node[]): void;
  /** Makes a node that is not yet in the graph. It has new tensors as outputs, unless `outputs` gives them. */
  node<I extends string, O extends string, A extends object>(
    op: Op<I, O, A>,
    name: string,
    inputs: Named<I, TensorId>,
    attributes: A,
    outputs?: Named<O, TensorId>,
  ): Node & { readonly outputs: Named<O, TensorId> };
  /** Makes a node of the same op and name as another, with some inputs and attributes changed. */
  changed(
    node: Node,
    change: Partial<Pick<Node, "inputs" | "attributes">>,
    outputs?: Readonly<Record<string, TensorId>>,
  ): Node;
}

/** Choice that is left open while a plan is made: which of a node's algorithms, or which tile. */
export type OpenChoice = {
  readonly node: Node;
  readonly inputs: readonly TensorSpec[];
} & (
  | {
      /** Names of the algorithms that can compute the node within the device's limits, beside "direct". */
      readonly algorithms: readonly string[];
      readonly chosen: string;
    }
  | {
      readonly request: TileRequest;
      /** Most slices that the memory mode allows. */
      readonly maxSlices: number;
      readonly chosen: Tile;
    }
);

/** Type of an op's attributes, for `defineOp`. There is no value. */
/* @__NO_SIDE_EFFECTS__ */
export function typed<A extends object>(): A | undefined {
  return undefined;
}

/**
 * Declares an op. The types of its inputs, outputs and attributes follow from the definition, so the compiler checks calls of `add`. A
 * graph checks the names once more, for apps in JavaScript.
 *
 * @example
 * const scale = defineOp({
 *   name: "scale",
 *   inputs: ["x"],
 *   outputs: ["y"],
 *   attributes: typed<{ readonly by: number }>(),
 *   infer: ({ x }) => ({ y: x }),
 *   gradient: ({ gradients: { y: dy }, attributes, add }) => ({ x: add(scaleGradient, { x: dy! }, attributes).y }),
 *   lower: ({ inputs, outputs, attributes: { by } }) => [
 *     dispatch(kernel, { bind: { ...inputs, ...outputs }, constants: { BY: by }, workgroups: [1, 1, 1] }),
 *   ],
 * });
 */
/* @__NO_SIDE_EFFECTS__ */
export function defineOp<I extends string, O extends string = never, A extends object = NoAttributes>(
  definition: OpDefinition<I, O, A>,
): Op<I, O, A> {
  return definition as unknown as Op<I, O, A>;
}
