import type { ColumnRole } from "../data/columns.ts";
import { addNode, addTensor, emptyGraph, type Graph, nodeName, producerOf, tensorOf } from "../graph/graph.ts";
import type { Add } from "../graph/op.ts";
import type { TensorId, TensorSpec } from "../graph/tensor.ts";
import type { Variable } from "../graph/variable.ts";
import type { Network } from "../network/network.ts";
import { stateVariable } from "./variables.ts";

/** Kind of a port: of data that a program reads or writes beside its variables. */
export type PortKind = ColumnRole | "prediction" | "order";

/** Gives the key of a port: its kind, and the number of the model's input or output. */
export function portKey(kind: PortKind, index = 0): string {
  return `${kind} ${index}`;
}

/** Column of data at a port. A plan serves all data whose columns agree in this. */
export interface PortColumn extends TensorSpec {
  readonly role: ColumnRole;
  /** Number of the model's input, or of the output that a label or a weight belongs to. */
  readonly index: number;
  /** Factor of its numbers. */
  readonly scale: number;
}

/** Takes the parts of a column that a plan is made for. */
export function portColumn({ role, index, shape, dtype, scale }: PortColumn): PortColumn {
  return { role, index, shape, dtype, scale };
}

/** Settings that all programs have. */
export interface ProgramSettings {
  readonly network: Network;
  /** Rows of the largest batch that it takes. */
  readonly capacity: number;
  /**
   * Columns of the data. Default: floats for each input, and labels as the losses take them. Columns that are given replace these.
   * Weights are only those that are given.
   */
  readonly columns?: readonly PortColumn[];
  /** Whether the samples of evaluation and prediction are read in an order, at a port. Training always has one. Default false. */
  readonly ordered?: boolean | undefined;
}

/** Stage of a program: it adds nodes to the graph, out of what earlier stages have left. */
export type Stage = (builder: ProgramBuilder) => void;

/** Builder of a program: its graph, and what the stages hand on. */
export class ProgramBuilder {
  readonly graph: Graph = emptyGraph();
  readonly settings: ProgramSettings;
  /** Tensors of variables, by path. */
  readonly variables: Map<string, TensorId>;
  /** Tensors of ports, by key. */
  readonly ports = new Map<string, TensorId>();
  /** Batch's rows of the columns, by the keys of their ports. */
  readonly rows = new Map<string, TensorId>();
  /** Values of the network by number, its outputs, and the outputs of each use of a layer, by name. */
  values: readonly TensorId[] = [];
  outputs: readonly TensorId[] = [];
  readonly layerOutputs = new Map<string, TensorId>();
  /** Loss of each sample, for each output. */
  losses: readonly TensorId[] = [];
  /** Sum of the layers' own terms of the loss, [1]; `undefined` if there are none. */
  terms: TensorId | undefined;
  /** Gradients of the trainable parameters, by path. */
  gradients: ReadonlyMap<string, TensorId> = new Map();
  /** Numbers a sample whose means are still to be added up, and the index of the first among all means. */
  means: { readonly values: readonly TensorId[]; readonly first: number } = { values: [], first: 0 };
  readonly #name: string;

  /** @param name Beginning of nodes' names: `train/batchGather`. */
  constructor(name: string, settings: ProgramSettings) {
    this.#name = name;
    this.settings = settings;
    this.variables = new Map([[stateVariable().path, this.graph.state]]);
  }

  get state(): TensorId {
    return this.graph.state;
  }

  /** Adds a node. */
  readonly add: Add = (op, inputs, ...attributes) =>
    addNode(this.graph, nodeName(this.#name, op), op, inputs, ...attributes);

  /** Gives an `add` whose nodes are named after something else, such as a parameter. */
  addOf(name: string): Add {
    return (op, inputs, ...attributes) => addNode(this.graph, nodeName(name, op), op, inputs, ...attributes);
  }

  /** Gives the tensor of a variable. It is made when first asked for. */
  variable(variable: Variable): TensorId {
    const known = this.variables.get(variable.path);
    if (known !== undefined) return known;
    const id = addTensor(this.graph, variable.path, "state", variable);
    this.variables.set(variable.path, id);
    return id;
  }

  /** Makes a tensor that the caller binds for each data set. Its number of samples depends on the data set, not on the plan. */
  port(kind: PortKind, index: number, name: string, { shape, dtype }: TensorSpec): TensorId {
    const id = addTensor(this.graph, name, "data", { shape: [1, ...shape], dtype });
    this.ports.set(portKey(kind, index), id);
    return id;
  }

  readonly producerOf = (tensor: TensorId) => producerOf(this.graph, tensor);

  readonly shapeOf = (tensor: TensorId) => tensorOf(this.graph, tensor).shape;
}
