import { anObject, cut, FeaturemapError, flag, oneOf, wrong } from "../base/errors.ts";
import { type Shape, showShape } from "../base/shape.ts";
import { addNode, addTensor, emptyGraph, type Graph, nodeName, tensorOf } from "../graph/graph.ts";
import type { Op } from "../graph/op.ts";
import type { Tensor, TensorId } from "../graph/tensor.ts";
import { checkedSpecs, WEIGHT_ROLES } from "../graph/variable.ts";
import { initializerOption, wordInitializerOption } from "./initializers.ts";
import { type AnyLayer, type LayerCall, type LayerInput, subject, type VariableSpec } from "./layer.ts";

/**
 * Adds a layer's nodes to a graph, and returns its outputs. A user's layer may return anything, so all of it is checked. `isList` tells
 * whether it returned a list.
 */
export function callLayer(
  graph: Graph,
  layer: AnyLayer,
  call: {
    /** Beginning of the nodes' names. */
    readonly name: string;
    readonly inputs: readonly TensorId[];
    readonly variables: Readonly<Record<string, TensorId>>;
    readonly training: boolean;
    readonly trainable: boolean;
  },
): { readonly outputs: readonly TensorId[]; readonly isList: boolean } {
  const { name, inputs, variables, training, trainable } = call;
  const where = `${subject(layer.type, name)}: call()`;
  let first = true;
  const { known, ...nodes } = checkedNodes(graph, where, (op) => {
    const node = first ? name : nodeName(name, op);
    first = false;
    return node;
  });
  const returned = layer.call({
    input: inputs[0]!,
    inputs,
    variables,
    trainingState: training ? graph.state : undefined,
    trainable,
    ...nodes,
  });
  const isList = Array.isArray(returned);
  const outputs = isList ? Array.from(returned as readonly TensorId[]) : [returned as TensorId];
  if (outputs.length === 0) throw wrong(where, "return a tensor, or a list of at least one", returned);
  const batch = tensorOf(graph, inputs[0]!).shape[0]!;
  for (const id of outputs) assertRows(tensorOf(graph, known(id, "return")), batch, where);
  return { outputs, isList };
}

/** Gives what a layer adds nodes by, and asks for shapes by. It checks the tensors that the layer hands in. */
export function checkedNodes(
  graph: Graph,
  where: string,
  nameOf: (op: Op) => string,
): Pick<LayerCall, "add" | "shapeOf"> & { known(id: TensorId, does: string): TensorId } {
  const known = (id: TensorId, does: string): TensorId => {
    if (Number.isInteger(id) && graph.tensors[id]) return id;
    throw wrong(where, `${does} a tensor (add() gives outputs by name: take its y)`, id);
  };
  return {
    known,
    shapeOf: (id) => tensorOf(graph, known(id, "ask for the shape of")).shape,
    add: (op, of, ...attributes) => {
      for (const id of Object.values<TensorId | undefined>(anObject(of, `${where}: inputs of add()`)))
        if (id !== undefined) known(id, "add");
      return addNode(graph, nameOf(op as Op), op, of, ...attributes);
    },
  };
}

/** @throws FeaturemapError `shape` unless a layer's output has a row a sample; `value` unless it is of 32-bit floats */
function assertRows({ shape, dtype }: Tensor, batch: number, where: string): void {
  const must = `${where} must return a row a sample, [batch, ...], of 32-bit floats`;
  if (dtype !== "f32") throw new FeaturemapError("value", `${must}, got numbers of type ${dtype}.`);
  if (shape[0] === batch) return;
  throw new FeaturemapError("shape", `${must}, got ${showShape(shape)} for a batch of ${batch}.`);
}

/** Layer as it is for inputs of some shapes. */
export interface LayerForm {
  readonly variables: readonly VariableSpec[];
  /** Shapes of one sample of each output. */
  readonly outputShapes: readonly Shape[];
  /** Whether its outputs are a list, even if of one. */
  readonly isList: boolean;
}

/** Gives a layer's variables and output shapes, for inputs of these shapes of one sample. */
export function buildLayer(layer: AnyLayer, built: LayerInput): LayerForm {
  const { name } = built;
  const variables = checkedVariables(layer.variables?.(built) ?? [], subject(layer.type, name));
  const graph = emptyGraph();
  const inputs = built.inputs.map((shape, i) =>
    addTensor(graph, i === 0 ? built.from : `${built.from}:${i}`, "scratch", { shape: [1, ...shape], dtype: "f32" }),
  );
  const own = variables.map(
    ({ name, shape, dtype = "f32" }) => [name, addTensor(graph, name, "state", { shape, dtype })] as const,
  );
  const call = { name, inputs, variables: Object.fromEntries(own), training: false, trainable: true };
  const { outputs, isList } = callLayer(graph, layer, call);
  const read = new Set([...outputs, ...graph.nodes.flatMap(({ inputs }) => Object.values(inputs))]);
  const unread = inputs.findIndex((input) => !read.has(input));
  if (unread >= 0 && inputs.length > 1) {
    const message = `does not read input ${unread + 1} of the ${inputs.length} that it was called on`;
    throw new FeaturemapError("value", `${subject(layer.type, name)} ${message}. Call it on what it reads.`);
  }
  return { variables, outputShapes: outputs.map((id) => sampleShape(graph, id)), isList };
}

/** Gives the shape of one sample of a tensor. */
export function sampleShape(graph: Graph, id: TensorId): Shape {
  return tensorOf(graph, id).shape.slice(1);
}

/** Checks a layer's variables: a user's layer may return anything. */
function checkedVariables(variables: readonly VariableSpec[], layer: string): readonly VariableSpec[] {
  const where = `${layer}: variables()`;
  for (const spec of checkedSpecs(variables, where, "{ name, shape, initializer }")) {
    const { name, initializer, role = "parameter", trainable, dtype = "f32" } = spec;
    const own = `${layer}: ${cut(name)}`;
    oneOf(role, WEIGHT_ROLES, `${own}: role`);
    const words = oneOf(dtype, ["f32", "u32"], `${own}: dtype`) === "u32";
    if (words && role !== "statistic")
      throw wrong(`${own}: role`, 'be "statistic" with dtype "u32"', role, "Gradients step floats.");
    if (words) wordInitializerOption(initializer, `${own}: initializer`);
    else initializerOption(initializer, `${own}: initializer`);
    if (trainable !== undefined && flag(trainable, `${own}: trainable`) && role === "statistic")
      throw wrong(`${own}: trainable`, "be false or left out for a statistic", trainable, "Gradients step parameters.");
  }
  return variables;
}
