import { aWord, cut, FeaturemapError, listOf, madeBy, optionalText, wrong } from "../base/errors.ts";
import { elements, isShape, type Shape, sameShape, showShape } from "../base/shape.ts";
import { addTensor, emptyGraph, type Graph, type TensorId, tensorOf } from "../graph/graph.ts";
import { addNode, freeName, type OpTable, opTable } from "../graph/op.ts";
import { initializerOption } from "../layers/initializers.ts";
import { type Layer, type ParameterSpec, subject } from "../layers/layer.ts";
import { inputShapeOption } from "../layers/options.ts";
import { coreOps } from "../ops/table.ts";

export interface BuiltLayer {
  readonly layer: Layer;
  readonly name: string;
  readonly inputShape: Shape;
  /** Of one sample. */
  readonly outputShape: Shape;
  readonly parameters: readonly ParameterSpec[];
}

export interface LayerInfo {
  readonly name: string;
  /** Keras's class name. */
  readonly type: string;
  /** Of one sample. */
  readonly outputShape: Shape;
  /** Number of parameters, all of them trainable. */
  readonly parameters: number;
}

/** Layers in a row, named, and checked as soon as the input's shape is known. Pure: runs without a GPU. */
export class Network {
  readonly #layers: { layer: Layer; name: string }[] = [];
  readonly #names = new Set<string>();
  /** By the name that a layer's type gives, the number from which on names are free. */
  readonly #numbers = new Map<string, number>();
  #ops: OpTable = coreOps;
  /** Of all parameters. */
  readonly #paths = new Set<string>();
  #inputShape: Shape | undefined;
  #built: BuiltLayer[] = [];

  get ops(): OpTable {
    return this.#ops;
  }

  /** Shape of one sample; unknown until the first layer or the data tells it. */
  get inputShape(): Shape | undefined {
    return this.#inputShape;
  }

  /** What is built; all layers, once the input's shape is known. */
  get built(): readonly BuiltLayer[] {
    return this.#built;
  }

  get layers(): readonly { readonly layer: Layer; readonly name: string }[] {
    return this.#layers;
  }

  get outputShape(): Shape | undefined {
    return this.#built.at(-1)?.outputShape;
  }

  /** All parameters, layer by layer: the order of Keras's `get_weights`. */
  get parameters(): readonly (ParameterSpec & { readonly path: string })[] {
    return this.#built.flatMap((built) => {
      const paths = pathsOf(built);
      return built.parameters.map((spec, i) => ({ ...spec, path: paths[i]! }));
    });
  }

  get parameterCount(): number {
    return this.parameters.reduce((sum, { shape }) => sum + elements(shape), 0);
  }

  /** Appends a layer. Throws, and stays as it was, where the layer does not fit. */
  add(layer: Layer): void {
    const made = [layer?.parameters, layer?.call].every((each) => typeof each === "function");
    const one = Array.isArray(layer) ? ", one a call" : "";
    madeBy(made && typeof layer.type === "string", layer, "A layer", `conv2d(), dense() and their like${one}`);
    const type = cut(layer.type);
    optionalText(layer.name, `${type}: name`);
    inputShapeOption(layer.inputShape, `${type}: inputShape`);
    const name = this.#freeName(layer);
    const ops = layer.ops ? opTable([...this.#ops.values()], listOf(layer.ops, `${type}: ops`)) : this.#ops;
    const inputShape = this.#inputShape ?? (this.#layers.length === 0 ? layer.inputShape : undefined);
    const built = inputShape && this.#buildLayer(layer, name, ops, inputShape);
    if (built && layer.inputShape && !sameShape(layer.inputShape, built.inputShape)) {
      const got = `${showShape(layer.inputShape)}, but what comes in is ${showShape(built.inputShape)}`;
      throw new FeaturemapError("shape", `${subject(type, name)} was given inputShape ${got}. Leave it out.`);
    }
    this.#ops = ops;
    this.#layers.push({ layer, name });
    this.#names.add(name);
    this.#inputShape = inputShape;
    if (built) this.#push(built);
  }

  #push(built: BuiltLayer): void {
    this.#built.push(built);
    for (const path of pathsOf(built)) this.#paths.add(path);
  }

  /** Builds all layers for samples of a shape; does not, where `check` throws, which is given the output's. */
  build(sample: Shape, check: (output: Shape) => void = () => {}): void {
    if (this.#layers.length === 0)
      throw new FeaturemapError("state", "The model has no layers. Add some with model.add().");
    if (this.#inputShape) {
      if (!sameShape(sample, this.#inputShape)) {
        const got = `${showShape(this.#inputShape)} a sample, got ${showShape(sample)}`;
        const one = sample.length === this.#inputShape.length - 1;
        const remedy = one ? " The first axis counts the samples, one too." : "";
        throw new FeaturemapError("shape", `The model takes ${got}.${remedy}`);
      }
      check(this.outputShape!);
      return;
    }
    try {
      for (const { layer, name } of this.#layers) this.#push(this.#buildLayer(layer, name, this.#ops, sample));
      check(this.outputShape!);
    } catch (error) {
      this.#built = [];
      this.#paths.clear();
      throw error;
    }
    this.#inputShape = sample;
  }

  /**
   * Adds all layers' nodes to a graph, those for training where it `trains`; `parameters` are tensors for each of
   * `this.parameters`. `each` is told of every layer's output.
   */
  call(
    graph: Graph,
    input: TensorId,
    parameters: readonly TensorId[],
    { trains = false, each }: { trains?: boolean; each?: (name: string, output: TensorId) => void } = {},
  ): TensorId {
    let at = 0;
    return this.#built.reduce((x, { layer, name, parameters: { length } }) => {
      const own = parameters.slice(at, at + length);
      at += length;
      const output = callLayer(this.#ops, graph, { layer, name }, x, own, trains ? graph.state : undefined);
      each?.(name, output);
      return output;
    }, input);
  }

  #buildLayer(layer: Layer, name: string, ops: OpTable, first: Shape): BuiltLayer {
    const before = this.#built.at(-1);
    const inputShape = before?.outputShape ?? first;
    const parameters = checkedParameters(
      layer.parameters({ name, input: inputShape, from: before?.name ?? "the input" }),
      subject(layer.type, name),
    );
    const paths = pathsOf({ name, parameters });
    const twice = paths.find((path, i) => this.#paths.has(path) || paths.indexOf(path) < i);
    if (twice !== undefined)
      throw new FeaturemapError("value", `The model has a parameter "${cut(twice)}" already. Names must differ.`);
    const graph = emptyGraph();
    const input = addTensor(graph, before?.name ?? "input", "scratch", { shape: [1, ...inputShape], dtype: "f32" });
    const own = parameters.map((spec) => addTensor(graph, spec.name, "state", { shape: spec.shape, dtype: "f32" }));
    const output = callLayer(ops, graph, { layer, name }, input, own);
    return { layer, name, inputShape, parameters, outputShape: tensorOf(graph, output).shape.slice(1) };
  }

  /** Keras's: `conv2d`, `conv2d_1`, ...; a name that the user gave must be free. */
  #freeName(layer: Layer): string {
    if (layer.name === undefined) {
      const wanted = snakeCase(layer.type);
      const { name, number } = freeName(this.#names, wanted, this.#numbers.get(wanted));
      this.#numbers.set(wanted, number);
      return name;
    }
    if (this.#names.has(layer.name)) {
      throw new FeaturemapError(
        "value",
        `The model has a layer named "${cut(layer.name)}" already. Names must differ.`,
      );
    }
    return layer.name;
  }
}

/** A layer of the user's own gives what it likes. */
function checkedParameters(parameters: readonly ParameterSpec[], layer: string): readonly ParameterSpec[] {
  for (const spec of listOf(parameters, `${layer}: parameters()`)) {
    if (!isShape(spec?.shape))
      throw wrong(`${layer}: parameters()`, "give a list of { name, shape, initializer }", spec);
    const name = aWord(spec.name, `${layer}: a parameter's name`);
    initializerOption(spec.initializer, `${layer}: ${cut(name)}: initializer`);
  }
  return parameters;
}

function pathsOf({ name, parameters }: Pick<BuiltLayer, "name" | "parameters">): string[] {
  return parameters.map((spec) => `${name}/${spec.name}`);
}

function callLayer(
  ops: OpTable,
  graph: Graph,
  { layer, name }: { layer: Layer; name: string },
  input: TensorId,
  parameters: readonly TensorId[],
  trainingState?: TensorId,
): TensorId {
  const where = `${subject(layer.type, name)}: call()`;
  const known = (id: TensorId, does: string): TensorId => {
    if (Number.isInteger(id) && graph.tensors[id]) return id;
    throw wrong(where, `${does} a tensor (add() gives a list: take its [0])`, id);
  };
  let first = true;
  const output = layer.call({
    input,
    parameters,
    trainingState,
    shapeOf: (id) => tensorOf(graph, known(id, "ask for the shape of")).shape,
    add: (op, inputs, attributes = {}) => {
      for (const id of listOf(inputs, `${where}: inputs of add()`)) known(id, "add");
      const outputs = addNode(ops, graph, { op, name: first ? name : `${name}/${op}`, inputs, attributes });
      first = false;
      return outputs;
    },
  });
  return known(output, "return");
}

/** `MaxPooling2D` becomes `max_pooling2d`, as in Keras. */
function snakeCase(type: string): string {
  return type
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .replace(/(\d)D$/, "$1d")
    .toLowerCase();
}
