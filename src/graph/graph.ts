import { elements, type Shape } from "../base/shape.ts";
import { stepState } from "./step-state.ts";

/** What a tensor holds: 32-bit floats, 32-bit whole numbers, or bytes packed four to a word. */
export type DType = "f32" | "u32" | "u8";

/**
 * Who owns a tensor's buffer.
 * - `data`: the caller's, bound anew for each data set (samples, labels, the order of a sweep)
 * - `state`: lives as long as the model and changes from step to step (parameters, optimizer slots, the step's state)
 * - `scratch`: lives within a step; the plan reuses its buffer
 */
export type Role = "data" | "state" | "scratch";

/** A tensor is named by its place in `graph.tensors`. */
export type TensorId = number;

export interface TensorSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface Tensor extends TensorSpec {
  readonly id: TensorId;
  readonly name: string;
  readonly role: Role;
}

/** Whatever an op needs to know beside its inputs; plain data, so that a graph can be printed and stored. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface Node {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorId[];
  /** Tensors among the inputs that the node changes in place. */
  readonly updates: readonly TensorId[];
  readonly attributes: Attributes;
}

/** A computation as plain data. Nodes are in an order in which they can run. */
export interface Graph {
  readonly tensors: Tensor[];
  nodes: Node[];
  /** Tensors that somebody wants to see; what leads to none of them, and updates nothing, is dropped. */
  readonly results: TensorId[];
  /** The step's state, `shaders/lib/state.wgsl`: kernels read from it how many rows of the batch are in use. */
  readonly state: TensorId;
}

export function emptyGraph(): Graph {
  const state: Tensor = { id: 0, name: "state", role: "state", shape: [stepState().words], dtype: "u32" };
  return { tensors: [state], nodes: [], results: [], state: 0 };
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

/** The node that makes a tensor; none makes data and state. */
export function producerOf(graph: Graph, id: TensorId): Node | undefined {
  return graph.nodes.find((node) => node.outputs.includes(id));
}

/** Size in bytes of the buffer that holds a tensor, a multiple of 4. */
export function byteLength(spec: TensorSpec): number {
  const bytes = elements(spec.shape) * (spec.dtype === "u8" ? 1 : 4);
  return Math.max(4, Math.ceil(bytes / 4) * 4);
}
