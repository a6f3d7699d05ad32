import { anObject, aWord, cut, FeaturemapError, listOf, show, wrong } from "../base/errors.ts";
import { elements, type Shape, sameShape } from "../base/shape.ts";
import { addTensor, emptyGraph, freeName, type Graph, producerOf } from "../graph/graph.ts";
import { inputsOf, type Node, outputsOf, type Tensor, type TensorId } from "../graph/tensor.ts";
import { subject } from "../layers/layer.ts";
import type { Network } from "../network/network.ts";
import type { AxisOrder, OnnxAttribute, OnnxCall, OnnxConstant, OnnxRule, OrderedTensor } from "./rule.ts";
import { checkedAttributes, checkedConstant, checkedOrder } from "./rule-check.ts";
import { NCHW } from "./rules.ts";

export interface OnnxNode {
  readonly type: string;
  readonly name: string;
  /** Names of tensors, `""` for an optional one that is not there. */
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** Numbers in the file. */
export interface OnnxInitializer {
  readonly name: string;
  readonly shape: Shape;
  /** Constants, or the values of one of the model's variables with its axes in this order. */
  readonly values: OnnxConstant | { readonly path: string; readonly order: AxisOrder };
}

/** An input or output. The batch axis is not in its shape. */
export interface OnnxPort {
  readonly name: string;
  readonly shape: Shape;
}

/** A graph as ONNX has it, without the variables' numbers. Plain data. */
export interface OnnxGraph {
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
}

/** Most bytes that a protobuf message may have. */
const MOST_BYTES = 2 ** 31 - 1;

/** Layout of the images that an exported model takes and gives. */
export type OnnxLayout = "nhwc" | "nchw";

export interface ExportSettings {
  readonly layout: OnnxLayout;
  /** Rules by the ops' names. */
  readonly rules: ReadonlyMap<string, OnnxRule>;
}

/**
 * Gives a network's inference as an ONNX graph. Runs without a GPU.
 *
 * @throws FeaturemapError as `toOnnx` does
 */
export function exportGraph(network: Network, { layout, rules }: ExportSettings): OnnxGraph {
  const graph = emptyGraph();
  const inputs = network.inputs.map(({ name, shape }) =>
    addTensor(graph, name, "data", { shape: [1, ...shape], dtype: "f32" }),
  );
  const variables = new Map(network.variables.map((each) => [each.path, addTensor(graph, each.path, "state", each)]));
  const values = network.call(graph, { inputs, variables });
  const outputs = network.outputs.map(({ value }) => values[value]!);
  const orderOf = (id: TensorId) => {
    const { shape } = graph.tensors[id]!;
    return layout === "nchw" && shape.length === 4 ? NCHW : modelOrder(shape);
  };
  const reserved = [...network.inputs, ...network.outputs].map(({ name }) => name);
  const exporter = new GraphExporter(graph, new Set(variables.values()), reserved);
  inputs.forEach((id, i) => {
    exporter.addInput(id, network.inputs[i]!, orderOf(id));
  });
  for (const node of leadingTo(graph, outputs)) {
    const rule = rules.get(node.op);
    if (!rule) throw withoutRule(network, node);
    exporter.apply(node, rule);
  }
  outputs.forEach((id, i) => {
    exporter.addOutput(id, network.outputs[i]!, orderOf(id));
  });
  const made = exporter.made();
  const bytes = made.initializers.reduce(
    (sum, { shape, values }) => sum + elements(shape) * ("ints" in values ? 8 : 4),
    0,
  );
  if (bytes <= MOST_BYTES) return made;
  const got = `the weights take ${bytes}`;
  throw new FeaturemapError("limit", `toOnnx: an ONNX file has room for ${MOST_BYTES} bytes, but ${got}.`);
}

/** Nodes that some tensors depend on, in the graph's order. */
function leadingTo(graph: Graph, tensors: readonly TensorId[]): Node[] {
  const wanted = new Set(tensors);
  const leading = (node: Node) => {
    const leads = outputsOf(node).some((id) => wanted.has(id));
    if (leads) for (const id of inputsOf(node)) wanted.add(id);
    return leads;
  };
  return [...graph.nodes].reverse().filter(leading).reverse();
}

function withoutRule({ uses }: Network, { op, name }: Node): FeaturemapError {
  // A layer's nodes bear its name or begin with it; of layers "a" and "a/b", the longer name is meant.
  const begins = uses.filter(({ node }) => name.startsWith(node));
  const { built } = begins.reduce((a, b) => (b.node.length > a.node.length ? b : a));
  const layer = subject(built.layer.type, built.name);
  const remedy = `Give one: toOnnx(model, { rules: { ${show(cut(op))}: ... } }).`;
  return new FeaturemapError("value", `toOnnx: ${layer} adds the op "${cut(op)}", which has no ONNX rule. ${remedy}`);
}

/** Order of axes in the model. */
const modelOrder = (shape: Shape): AxisOrder => [...shape.keys()];

const inOrder = (shape: Shape, order: AxisOrder): Shape => order.map((axis) => shape[axis]!);

/** A graph in the making. A tensor may lie in several orders of axes. It is transposed when one of them is first read. */
class GraphExporter {
  readonly #graph: Graph;
  readonly #variables: ReadonlySet<TensorId>;
  /** ONNX tensors that hold each tensor of the model, one for each order. The first is the one that was made. */
  readonly #forms = new Map<TensorId, OrderedTensor[]>();
  /** Names that are taken. Those of the model's inputs and outputs are taken from the start. */
  readonly #tensorNames = new Set<string>();
  readonly #nodeNames = new Set<string>();
  /** Names of outputs, by the names of the tensors that they are. */
  readonly #renamed = new Map<string, string>();
  readonly #inputs: OnnxPort[] = [];
  readonly #outputs: OnnxPort[] = [];
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers: OnnxInitializer[] = [];

  constructor(graph: Graph, variables: ReadonlySet<TensorId>, reserved: readonly string[]) {
    this.#graph = graph;
    this.#variables = variables;
    for (const name of reserved) {
      if (this.#tensorNames.has(name)) {
        const remedy = "Rename one of them: model({ inputs, outputs: { name: ... } })";
        throw new FeaturemapError("value", `toOnnx: an input and an output are both named "${cut(name)}". ${remedy}.`);
      }
      this.#tensorNames.add(name);
    }
  }

  addInput(id: TensorId, port: OnnxPort, order: AxisOrder): void {
    this.#inputs.push({ name: port.name, shape: inOrder([1, ...port.shape], order).slice(1) });
    this.#forms.set(id, [{ name: port.name, order }]);
  }

  /** Gives a tensor an output's name. An input, a variable or another output is passed on by a node of its own. */
  addOutput(id: TensorId, port: OnnxPort, order: AxisOrder): void {
    this.#outputs.push({ name: port.name, shape: inOrder([1, ...port.shape], order).slice(1) });
    const made = this.#read(this.#graph.tensors[id]!, order, port.name);
    const own = this.#nodes.some(({ output }) => output === made) && !this.#renamed.has(made);
    this.#renamed.set(own ? made : this.#push("Identity", port.name, [made], {}), port.name);
  }

  /** Writes a node by its op's rule. */
  apply(node: Node, rule: OnnxRule): void {
    const where = `toOnnx: the rule of op "${cut(node.op)}"`;
    let first = true;
    const call: OnnxCall<string, object> = {
      name: node.name,
      attributes: node.attributes,
      inputs: Object.fromEntries(Object.entries(node.inputs).map(([name, id]) => [name, this.#graph.tensors[id]!])),
      read: (input, order) => {
        const { shape } = this.#input(node, input, where);
        return this.#read(input, order ?? modelOrder(shape), node.name);
      },
      readAsItLies: (input) => {
        const { id, shape } = this.#input(node, input, where);
        const [lying] = this.#forms.get(id) ?? [];
        return lying ?? { name: this.#read(input, modelOrder(shape), node.name), order: modelOrder(shape) };
      },
      add: (type, inputs, attributes = {}) => {
        aWord(type, `${where}: type of a node`);
        const name = first ? node.name : `${node.name}/${type}`;
        first = false;
        return this.#push(type, name, this.#known(inputs, where), checkedAttributes(attributes, `${where}: ${type}`));
      },
      constant: (values) => {
        const { shape, ...numbers } = checkedConstant(values, where);
        return this.#initializer(`${node.name}/constant`, shape, numbers);
      },
    };
    const made = anObject(rule(call), `${where}: what it returns`);
    for (const [output, id] of Object.entries(node.outputs)) {
      const form = made[output];
      if (form === undefined) continue;
      const { shape } = this.#graph.tensors[id]!;
      const at = `${where}: output "${output}"`;
      const { name, order } = typeof form === "string" ? { name: form, order: modelOrder(shape) } : anObject(form, at);
      this.#known([aWord(name, `${at}: name`)], at);
      this.#forms.set(id, [{ name, order: checkedOrder(order, shape.length, at) }]);
    }
  }

  made(): OnnxGraph {
    const named = (name: string) => this.#renamed.get(name) ?? name;
    const nodes = this.#nodes.map((node) => ({ ...node, inputs: node.inputs.map(named), output: named(node.output) }));
    return { inputs: this.#inputs, outputs: this.#outputs, nodes, initializers: this.#initializers };
  }

  /** An input that a rule asks for, which may be anything. */
  #input(node: Node, input: Tensor, where: string): Tensor {
    if (inputsOf(node).some((id) => this.#graph.tensors[id] === input)) return input;
    throw wrong(where, "read one of the node's inputs", input);
  }

  /** Name of a tensor in an order of axes. */
  #read(tensor: Tensor, order: AxisOrder, reader: string): string {
    checkedOrder(order, tensor.shape.length, `toOnnx: "${cut(reader)}"`);
    const forms = this.#forms.get(tensor.id) ?? [];
    const there = forms.find((form) => sameShape(form.order, order));
    if (there) return there.name;
    const name = this.#inNewOrder(tensor, order, forms[0], reader);
    this.#forms.set(tensor.id, [...forms, { name, order }]);
    return name;
  }

  #inNewOrder(tensor: Tensor, order: AxisOrder, from: OrderedTensor | undefined, reader: string): string {
    const { id, name, shape } = tensor;
    if (this.#variables.has(id) && tensor.dtype !== "f32")
      throw new FeaturemapError(
        "value",
        `toOnnx: "${cut(reader)}" reads the counter "${cut(name)}", which is no weight.`,
      );
    if (this.#variables.has(id)) return this.#initializer(name, inOrder(shape, order), { path: name, order });
    if (!from) throw this.#missing(tensor, reader);
    const perm = { ints: order.map((axis) => from.order.indexOf(axis)) };
    return this.#push("Transpose", `${from.name}/Transpose`, [from.name], { perm });
  }

  #missing({ id }: Tensor, reader: string): FeaturemapError {
    const node = producerOf(this.#graph, id);
    const output = node && Object.keys(node.outputs).find((name) => node.outputs[name] === id);
    const what = node ? `the rule of op "${cut(node.op)}" gives no "${output}"` : "there is no step's state in ONNX";
    return new FeaturemapError("value", `toOnnx: ${what}, which "${cut(reader)}" reads.`);
  }

  #initializer(wanted: string, shape: Shape, values: OnnxInitializer["values"]): string {
    const name = this.#take(this.#tensorNames, wanted);
    this.#initializers.push({ name, shape, values });
    return name;
  }

  #push(type: string, wanted: string, inputs: readonly string[], attributes: OnnxNode["attributes"]): string {
    const output = this.#take(this.#tensorNames, wanted);
    this.#nodes.push({ type, name: this.#take(this.#nodeNames, wanted), inputs, output, attributes });
    return output;
  }

  #take(names: Set<string>, wanted: string): string {
    const { name } = freeName(names, wanted);
    names.add(name);
    return name;
  }

  /** Checks names that a rule gave. An optional input that is not there has none. */
  #known(names: readonly (string | undefined)[], where: string): string[] {
    return listOf(names, `${where}: inputs of add()`).map((name = "") => {
      if (name === "" || this.#tensorNames.has(name)) return name;
      throw wrong(where, "name tensors as read(), add() or constant() gave them", name);
    });
  }
}
