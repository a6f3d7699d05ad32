import { FeaturemapError, wrong } from "../base/errors.ts";
import type { Dispatch } from "../wgsl/kernel.ts";
import {
  type Attributes,
  addTensor,
  type Graph,
  type Node,
  type Tensor,
  type TensorId,
  type TensorSpec,
  tensorOf,
} from "./graph.ts";
import type { AdapterClass, Tile, TileRequest } from "./tile.ts";

/**
 * One operation: what the compiler asks of it. The library's own ops and a user's come through this same door.
 *
 * An op with neither `lower` nor `view` exists only until a rewrite replaces it.
 */
export interface Op<A extends Attributes = Attributes> {
  readonly name: string;
  /** Shape rule. Throws a FeaturemapError `shape` where the inputs do not fit; `where` is the node's name. */
  infer(inputs: readonly TensorSpec[], attributes: A, where: string): readonly TensorSpec[];
  /** Which inputs the op changes in place, by position. None by default. */
  updates?(attributes: A): readonly number[];
  /**
   * Gradient rule, in reverse mode: adds the nodes that turn the outputs' gradients into the inputs'.
   * Returns one tensor for each input, `undefined` where the input has no gradient or none is wanted.
   */
  gradient?(context: GradientContext<A>): readonly (TensorId | undefined)[];
  /** Replacements that this op knows, tried in the order of the op table. */
  readonly rewrites?: readonly Rewrite[];
  /** Other ways to compute a node, out of nodes of other ops. One is chosen when no rewrite applies any more. */
  readonly algorithms?: readonly Algorithm[];
  /** The kernel calls that compute the node. */
  lower?(context: LowerContext<A>): readonly Dispatch<TensorId>[];
  /** The output is the first input under another shape: no kernel, no copy. */
  readonly view?: boolean;
}

/** Ops by name. */
export type OpTable = ReadonlyMap<string, Op>;

export interface GradientContext<A extends Attributes = Attributes> {
  readonly graph: Graph;
  readonly node: Node;
  readonly attributes: A;
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  /** Gradient of each output, `undefined` where nothing that counts depends on it. */
  readonly gradients: readonly (TensorId | undefined)[];
  /** Whether each input's gradient is wanted. */
  readonly wanted: readonly boolean[];
  tensor(id: TensorId): Tensor;
  /** Adds a node whose name is the forward node's with the op's. */
  add(op: string, inputs: readonly TensorId[], attributes?: Attributes): readonly TensorId[];
}

export interface LowerContext<A extends Attributes = Attributes> {
  readonly node: Node;
  readonly attributes: A;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  /** What the plan is made for. */
  readonly adapter: AdapterClass;
  /** The tile for a matrix product (see `tile.ts`). */
  tile(product: TileRequest): Tile;
  /** How many buffers a shader may bind. */
  readonly storageBuffers: number;
  /** A buffer that lives only within this node. */
  scratch(name: string, spec: TensorSpec): TensorId;
}

/**
 * Looks at one node and replaces what it recognises; returns whether it did. It is called again for a node
 * when what it asked `edit` for has changed, so it keeps nothing from call to call. A rewrite sees the whole graph, so it may replace a group of nodes, forward and backward together.
 */
export type Rewrite = (edit: GraphEdit, node: Node) => boolean;

/** Another way to compute a node than its op's own kernels, which are the algorithm "direct". */
export interface Algorithm {
  readonly name: string;
  /** How many times less work than "direct" it promises, what comes with it included; 0 where it cannot compute the node. */
  saving(edit: GraphEdit, node: Node): number;
  /** Bytes of the largest tensor that it makes where "direct" makes none. Default: none. */
  largestTensor?(edit: GraphEdit, node: Node): number;
  /** Puts the algorithm's nodes in the place of the node. */
  apply(edit: GraphEdit, node: Node): void;
}

/** What a rewrite may do to a graph. */
export interface GraphEdit {
  readonly graph: Graph;
  /** What the graph is rewritten for. */
  readonly adapter: AdapterClass;
  tensor(id: TensorId): Tensor;
  producer(id: TensorId): Node | undefined;
  readers(id: TensorId): readonly Node[];
  /** Whether anything but the listed nodes reads the tensor, or somebody asked to see it. */
  usedBeside(id: TensorId, nodes: readonly Node[]): boolean;
  /** Puts nodes in the place of others; a tensor that only the removed nodes made or read goes with them. */
  replace(nodes: readonly Node[], by: readonly Node[]): void;
  /** A new node, not yet in the graph, with new tensors for its outputs unless they are given. */
  node(
    op: string,
    name: string,
    inputs: readonly TensorId[],
    attributes: Attributes,
    outputs?: readonly TensorId[],
  ): Node;
}

/** A choice that is left open while a plan is made: which of a node's algorithms, or which tile. */
export type Asked = {
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
      /** The most slices that the memory mode allows. */
      readonly mostSlices: number;
      readonly chosen: Tile;
    }
);

export function opNamed(ops: OpTable, name: string): Op {
  const op = ops.get(name);
  if (!op)
    throw new FeaturemapError(
      "value",
      `There is no op "${name}". There are: ${[...ops.keys()].join(", ")}. Layers, losses and optimizers bring others by their ops.`,
    );
  return op;
}

/** A table of ops; a later op of the same name throws, so that nothing is replaced unseen. */
/* @__NO_SIDE_EFFECTS__ */
export function opTable(...lists: readonly (readonly Op[])[]): OpTable {
  const table = new Map<string, Op>();
  for (const op of lists.flat()) {
    if (typeof op?.name !== "string" || typeof op.infer !== "function")
      throw wrong("An op", "have a name and infer()", op);
    const known = table.get(op.name);
    if (known && known !== op)
      throw new FeaturemapError("value", `There are two ops named "${op.name}". Rename one of them.`);
    table.set(op.name, op);
  }
  return table;
}

/** Declares an op with its attributes' type; the table holds all ops under one type. */
/* @__NO_SIDE_EFFECTS__ */
export function defineOp<A extends Attributes>(op: Op<A>): Op {
  return op as unknown as Op;
}

/** Makes a node and its output tensors by the op's shape rule, without adding the node to the graph. */
export function makeNode(
  ops: OpTable,
  graph: Graph,
  call: {
    op: string;
    name: string;
    inputs: readonly TensorId[];
    attributes?: Attributes;
    outputs?: readonly TensorId[] | undefined;
  },
): Node {
  const op = opNamed(ops, call.op);
  const { name, inputs, attributes = {} } = call;
  const outputs =
    call.outputs ??
    op
      .infer(
        inputs.map((id) => tensorOf(graph, id)),
        attributes,
        name,
      )
      .map((spec, i) => addTensor(graph, i === 0 ? name : `${name}:${i}`, "scratch", spec));
  const updates = op.updates?.(attributes).flatMap((i) => inputs[i] ?? []) ?? [];
  return { op: call.op, name, inputs, outputs, updates, attributes };
}

/** Makes a node and adds it at the end. Returns its outputs. */
export function addNode(
  ops: OpTable,
  graph: Graph,
  call: { op: string; name: string; inputs: readonly TensorId[]; attributes?: Attributes },
): readonly TensorId[] {
  // Tiles are chosen by node, so no two have one name.
  const { name } = freeName(namesOf(graph.nodes), call.name);
  const node = makeNode(ops, graph, { ...call, name });
  graph.nodes.push(node);
  return node.outputs;
}

const KNOWN_NAMES = /* @__PURE__ */ new WeakMap<readonly Node[], { names: Set<string>; count: number }>();

/** Names of a list's nodes; of a list that has grown, only the new ones are read. */
function namesOf(nodes: readonly Node[]): ReadonlySet<string> {
  const known = KNOWN_NAMES.get(nodes) ?? { names: new Set<string>(), count: 0 };
  KNOWN_NAMES.set(nodes, known);
  while (known.count < nodes.length) known.names.add(nodes[known.count++]!.name);
  return known.names;
}

/** The name, with the first number from `from` on where others have it. */
export function freeName(
  taken: ReadonlySet<string>,
  wanted: string,
  from = 0,
): { readonly name: string; readonly number: number } {
  for (let number = from; ; number++) {
    const name = number === 0 ? wanted : `${wanted}_${number}`;
    if (!taken.has(name)) return { name, number };
  }
}
