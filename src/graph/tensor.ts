import { elements, type Shape } from "../base/shape.ts";

/** Type of a tensor's elements: 32-bit floats, 32-bit whole numbers, or bytes packed four to a word. */
export type DType = "f32" | "u32" | "u8";

/**
 * Owner of a tensor's buffer.
 * - `data`: the caller; it is bound anew for each data set (samples, labels, the order of a sweep)
 * - `state`: lives as long as the model and changes from step to step (parameters, optimizer slots, the step's state)
 * - `scratch`: lives within a step; the plan reuses its buffer
 */
export type Role = "data" | "state" | "scratch";

/** Place of a tensor in `graph.tensors`. */
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

/** Facts that an op needs beside its inputs, as plain data, so that a graph can be printed and stored. */
export type Attributes = Readonly<Record<string, unknown>>;

export interface Node {
  /** Name of the op, which `graph.ops` knows. */
  readonly op: string;
  readonly name: string;
  /** Inputs that are given, by the op's names and in its order. */
  readonly inputs: Readonly<Record<string, TensorId>>;
  readonly outputs: Readonly<Record<string, TensorId>>;
  /** Tensors among the inputs that the node changes in place. */
  readonly updates: readonly TensorId[];
  readonly attributes: Attributes;
}

/** Lists the tensors that a node reads. */
export function inputsOf(node: Node): TensorId[] {
  return Object.values(node.inputs);
}

/** Lists the tensors that a node makes. */
export function outputsOf(node: Node): TensorId[] {
  return Object.values(node.outputs);
}

/** Gives the size in bytes of the buffer that holds a tensor, a multiple of 4. */
export function byteLength(spec: TensorSpec): number {
  const bytes = elements(spec.shape) * (spec.dtype === "u8" ? 1 : 4);
  return Math.max(4, Math.ceil(bytes / 4) * 4);
}
