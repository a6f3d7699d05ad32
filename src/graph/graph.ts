import { FeaturemapError, wrong } from "../base/errors.ts";
import type { GivenAttributes, Named, Op } from "./op.ts";
import { stepState } from "./step-state.ts";
import {
  type Attributes,
  type Node,
  outputsOf,
  type Role,
  type Tensor,
  type TensorId,
  type TensorSpec,
} from "./tensor.ts";

/** Computation: nodes and tensors as plain data, and the ops of the nodes. Nodes are in an order in which they can run. */
export interface Graph {
  readonly tensors: Tensor[];
  nodes: Node[];
  /** Tensors that somebody reads afterwards. A node that leads to none of them, and updates nothing, is dropped. */
  readonly results: TensorId[];
  /** State of the step, `shaders/lib/state.wgsl`: kernels read from it how many rows of the batch are in use. */
  readonly state: TensorId;
  /** Ops by name, in the order in which nodes brought them. */
  readonly ops: Map<string, Op>;
}

export function emptyGraph(): Graph {
  const state: Tensor = { id: 0, name: "state", role: "state", shape: [stepState().words], dtype: "u32" };
  return { tensors: [state], nodes: [], results: [], state: 0, ops: new Map() };
}

/** Copies a graph, so that the copy can be given other nodes, and new tensors and ops. */
export function copyOf(graph: Graph): Graph {
  return { ...graph, tensors: [...graph.tensors], ops: new Map(graph.ops) };
}

/** Adds a tensor; returns its id. */
export function addTensor(graph: Graph, name: string, role: Role, spec: TensorSpec): TensorId {
  const id = graph.tensors.length;
  graph.tensors.push({ id, name, role, shape: spec.shape, dtype: spec.dtype });
  return id;
}

export function tensorOf(graph: Graph, id: TensorId): Tensor {
  return graph.tensors[id]!;
}

/** Finds the node that makes a tensor. Data and state have none. */
export function producerOf(graph: Graph, id: TensorId): Node | undefined {
  return graph.nodes.find((node) => outputsOf(node).includes(id));
}

/** Gives the op of a node of the graph. */
export function opOf({ ops }: Graph, node: Node): Op {
  return ops.get(node.op)!;
}

/** Adds an op to those of a graph. Throws if another op has its name. */
export function addOp({ ops }: Graph, op: Op): void {
  const names = Array.isArray(op?.inputs) && Array.isArray(op.outputs);
  if (!names || typeof op.name !== "string" || typeof op.infer !== "function")
    throw wrong("An op", "have a name, inputs, outputs and infer()", op);
  const known = ops.get(op.name) ?? op;
  if (known !== op) throw new FeaturemapError("value", `There are two ops named "${op.name}". Rename one of them.`);
  ops.set(op.name, op);
}

/** Parts that a node is made of. */
interface NodeCall {
  readonly name: string;
  readonly inputs: Readonly<Record<string, TensorId | undefined>>;
  readonly attributes: Attributes;
  readonly outputs?: Readonly<Record<string, TensorId | undefined>> | undefined;
}

/**
 * Makes a node, and its output tensors by the op's shape rule. The op is added to the graph, the node is not yet.
 *
 * @throws FeaturemapError `value` where an input is missing or unknown
 */
export function makeNode(graph: Graph, op: Op, { name, attributes, ...call }: NodeCall): Node {
  addOp(graph, op);
  const inputs = inOrderOf(op.inputs, call.inputs, `"${name}": op "${op.name}" takes`);
  const made = () => {
    const specs = Object.entries(inputs).map(([input, id]) => [input, tensorOf(graph, id)]);
    const outputs = op.infer(Object.fromEntries(specs), attributes, name);
    return Object.entries(inOrderOf(op.outputs, outputs, `"${name}": infer() of op "${op.name}" gives`)).map(
      ([output, spec], i) => [output, addTensor(graph, i === 0 ? name : `${name}:${i}`, "scratch", spec)],
    );
  };
  const outputs = call.outputs ? inOrderOf(op.outputs, call.outputs, `"${name}"`) : Object.fromEntries(made());
  const updates = (op.updates ?? []).flatMap((input) => inputs[input] ?? []);
  return { op: op.name, name, inputs, outputs, updates, attributes };
}

/** Orders values by their declared names. `does` opens the message if a name does not fit. */
function inOrderOf<Value>(
  declared: readonly string[],
  given: Readonly<Record<string, Value | undefined>>,
  does: string,
): Record<string, Value> {
  const there = Object.entries(given ?? {}).filter(([, value]) => value !== undefined);
  const left = new Map(there);
  const found: Record<string, Value> = {};
  let missing = false;
  for (const each of declared) {
    const name = each.replace("?", "");
    if (left.has(name)) found[name] = left.get(name)!;
    else if (name === each) missing = true;
    left.delete(name);
  }
  if (missing || left.size > 0) {
    const got = there.map(([name]) => name).join(", ");
    throw new FeaturemapError("value", `${does} { ${declared.join(", ")} }, got { ${got} }.`);
  }
  return found;
}

/**
 * Makes a node, adds it at the end and returns its outputs by name.
 *
 * @throws FeaturemapError `value` where an input is missing or unknown, or another op has the op's name
 */
export function addNode<I extends string, O extends string, A extends object>(
  graph: Graph,
  wanted: string,
  op: Op<I, O, A>,
  inputs: Named<I, TensorId>,
  ...[attributes]: GivenAttributes<A>
): Named<O, TensorId> {
  // Tiles are chosen by the node's name, so names must differ.
  const { name } = freeName(namesOf(graph.nodes), wanted);
  const node = makeNode(graph, op, { name, inputs, attributes: { ...attributes } });
  graph.nodes.push(node);
  return node.outputs as Named<O, TensorId>;
}

/** Names a node after a layer, say, and its op: `dense_1/denseInputGradient`. If the op is none, `addNode` will refuse it. */
export function nodeName(under: string, op: Op | undefined): string {
  return `${under}/${op?.name}`;
}

const KNOWN_NAMES = /* @__PURE__ */ new WeakMap<readonly Node[], { names: Set<string>; count: number }>();

/** Gives the names of a list's nodes. If the list has grown, only the new nodes are read. */
function namesOf(nodes: readonly Node[]): ReadonlySet<string> {
  const known = KNOWN_NAMES.get(nodes) ?? { names: new Set<string>(), count: 0 };
  KNOWN_NAMES.set(nodes, known);
  while (known.count < nodes.length) known.names.add(nodes[known.count++]!.name);
  return known.names;
}

/** Finds a free name: the wanted one, or if it is taken, the wanted one with the first free number from `from` on. */
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
