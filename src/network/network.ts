import { cut, FeaturemapError } from "../base/errors.ts";
import { type Shape, sameShape, showShape } from "../base/shape.ts";
import type { Graph } from "../graph/graph.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Variable } from "../graph/variable.ts";
import { buildLayer, callLayer, type LayerForm, sampleShape } from "../layers/call-layer.ts";
import { type Initializer, initialize, initializeWords, type WordInitializer } from "../layers/initializers.ts";
import { type AnyLayer, subject } from "../layers/layer.ts";

/** Number of a value of a network. Inputs and layers' outputs are numbered in the order in which they were added. */
export type ValueId = number;

export interface NetworkInput {
  /** Name of the data's column. */
  readonly name: string;
  /** Shape of one sample. */
  readonly shape: Shape;
}

/** Layer with its name, shapes and variables. */
export interface BuiltLayer {
  readonly layer: AnyLayer;
  readonly name: string;
  /** Shape of one sample of the first input. */
  readonly inputShape: Shape;
  /** Shapes of one sample of each output. */
  readonly outputShapes: readonly Shape[];
  /** Variables as they are while the layer is not frozen. */
  readonly variables: readonly Variable[];
}

/** Use of a layer. A shared layer has several. */
export interface LayerUse {
  readonly built: BuiltLayer;
  /** Name of its first node in graphs: the layer's, with a number from the second use on. */
  readonly node: string;
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly UseOutput[];
}

/** Output of a use of a layer. */
export interface UseOutput {
  /** Name by which an app asks for it: that of the use, with a number from the layer's second output on, `split:1`. */
  readonly name: string;
  readonly value: ValueId;
  /** Shape of one sample. */
  readonly shape: Shape;
}

/** Network of a model: layers, their variables, and how values go from one to the next. It needs no GPU. */
export class Network {
  #inputs: NetworkInput[] = [];
  #uses: LayerUse[] = [];
  #layers: BuiltLayer[] = [];
  /** Layers by name, and how often each is used so far. */
  readonly #named = new Map<string, { readonly built: BuiltLayer; uses: number }>();
  readonly #paths = new Set<string>();
  /** Names of the outputs of uses. */
  readonly #useOutputs = new Set<string>();
  /** Shape of one sample, and the name of the input or layer that it comes from. */
  #values: { readonly shape: Shape; readonly from: string }[] = [];
  #outputs: readonly { readonly name: string; readonly value: ValueId }[] = [];
  /** Whether each layer is trainable, by name. Default: as the layer says at the moment. */
  #trainable: ReadonlyMap<string, boolean> | undefined;

  get inputs(): readonly NetworkInput[] {
    return this.#inputs;
  }

  /** Outputs, each with its name and the shape of one sample. */
  get outputs(): readonly { readonly name: string; readonly shape: Shape; readonly value: ValueId }[] {
    return this.#outputs.map((output) => ({ ...output, shape: this.#values[output.value]!.shape }));
  }

  /** Layers, each once, in the order in which they were added. */
  get layers(): readonly BuiltLayer[] {
    return this.#layers;
  }

  get uses(): readonly LayerUse[] {
    return this.#uses;
  }

  /** Names of the layers and inputs that a layer's first use reads. */
  sourcesOf(layer: BuiltLayer): readonly string[] {
    return this.#uses.find(({ built }) => built === layer)!.inputs.map((value) => this.sourceOf(value));
  }

  /** Name of the input or layer that a value comes from. */
  sourceOf(value: ValueId): string {
    return this.#values[value]!.from;
  }

  /** Variables of the layers: the weights, then the counters. Those of a frozen layer are not trainable. */
  get variables(): readonly Variable[] {
    const all = this.#layers.flatMap((built) =>
      this.isTrainable(built) ? built.variables : built.variables.map((each) => ({ ...each, trainable: false })),
    );
    const isCounter = ({ role }: Variable) => role === "counter";
    return [...all.filter((each) => !isCounter(each)), ...all.filter(isCounter)];
  }

  /** Parameters and statistics, layer by layer: the order of Keras's `get_weights`. */
  get weights(): readonly Variable[] {
    return this.variables.filter(({ role }) => role !== "counter");
  }

  get parameters(): readonly Variable[] {
    return this.variables.filter(({ role }) => role === "parameter");
  }

  addInput(name: string, shape: Shape): ValueId {
    if (this.#inputs.some((known) => known.name === name))
      throw new FeaturemapError("value", `The model has an input named "${cut(name)}" already. Names must differ.`);
    this.#inputs.push({ name, shape });
    return this.#values.push({ shape, from: name }) - 1;
  }

  /**
   * Adds a layer under a name, or another use of it. `accept` may refuse it once it is built. If the layer does not fit it throws, and the
   * network stays as it was.
   */
  addUse(
    layer: AnyLayer,
    name: string,
    inputs: readonly ValueId[],
    accept: (form: LayerForm) => void = () => {},
  ): LayerUse {
    const shared = this.#named.get(name);
    const values = inputs.map((value) => this.#values[value]!);
    const form = buildLayer(layer, {
      name,
      input: values[0]!.shape,
      inputs: values.map(({ shape }) => shape),
      from: values[0]!.from,
    });
    accept(form);
    if (shared) this.#assertShared(shared.built, form);
    const number = (shared?.uses ?? 0) + 1;
    const node = number === 1 ? name : `${name}/use_${number}`;
    const outputs = form.outputShapes.map((shape, i) => {
      return { name: i === 0 ? node : `${node}:${i}`, value: this.#values.length + i, shape };
    });
    const twice = outputs.find((output) => this.#useOutputs.has(output.name));
    if (twice)
      throw new FeaturemapError(
        "value",
        `The model has a layer's output "${cut(twice.name)}" already. Rename a layer.`,
      );
    const known = shared ?? this.#keep(layer, name, values[0]!.shape, form);
    known.uses = number;
    const use = { built: known.built, node, inputs, outputs };
    this.#uses.push(use);
    for (const { name: output, shape } of outputs) {
      this.#useOutputs.add(output);
      this.#values.push({ shape, from: name });
    }
    return use;
  }

  setOutputs(outputs: readonly { readonly name: string; readonly value: ValueId }[]): void {
    this.#outputs = outputs;
  }

  /** Copies a complete network. Layers of the copy are trainable as told, by name, whatever an app sets later. */
  withTrainable(trainable: ReadonlyMap<string, boolean>): Network {
    const copy = new Network();
    copy.#inputs = this.#inputs;
    copy.#uses = this.#uses;
    copy.#layers = this.#layers;
    copy.#values = this.#values;
    copy.#outputs = this.#outputs;
    copy.#trainable = trainable;
    return copy;
  }

  isTrainable({ name, layer }: BuiltLayer): boolean {
    return this.#trainable?.get(name) ?? layer.trainable ?? true;
  }

  /**
   * Adds all layers' nodes to a graph, and returns the tensor of each value. `inputs` has a tensor for each input, and `variables` for
   * each variable, by path. `training` tells whether the nodes are those of a training step.
   */
  call(
    graph: Graph,
    {
      inputs,
      variables,
      training = false,
    }: {
      readonly inputs: readonly TensorId[];
      readonly variables: ReadonlyMap<string, TensorId>;
      readonly training?: boolean;
    },
  ): TensorId[] {
    const values = [...inputs];
    for (const { built, node, inputs: from, outputs } of this.#uses) {
      const { layer, name } = built;
      const made = callLayer(graph, layer, {
        name: node,
        inputs: from.map((value) => values[value]!),
        variables: Object.fromEntries(
          built.variables.map(({ path }) => [path.slice(name.length + 1), variables.get(path)!]),
        ),
        training,
        trainable: this.isTrainable(built),
      });
      const shapes = made.outputs.map((id) => sampleShape(graph, id));
      assertSameOutputs(
        built,
        outputs.map(({ shape }) => shape),
        shapes,
      );
      outputs.forEach(({ value }, i) => {
        values[value] = made.outputs[i]!;
      });
    }
    return values;
  }

  #keep(layer: AnyLayer, name: string, inputShape: Shape, { variables: specs, outputShapes }: LayerForm) {
    const variables = specs.map((spec): Variable => {
      const { name: own, shape, initializer, role = "parameter", trainable = true, dtype = "f32" } = spec;
      const { carried, constrain } = spec;
      const words = dtype === "u32";
      return {
        path: `${name}/${own}`,
        shape,
        dtype,
        role: words ? "counter" : role,
        trainable: role === "parameter" && trainable,
        carried,
        constrain,
        initial: (seed) =>
          words
            ? initializeWords(initializer as WordInitializer, shape, seed)
            : initialize(initializer as Initializer, shape, seed),
      };
    });
    const twice = variables.find(({ path }) => this.#paths.has(path));
    if (twice)
      throw new FeaturemapError("value", `The model has a variable "${cut(twice.path)}" already. Names must differ.`);
    for (const { path } of variables) this.#paths.add(path);
    const kept = { built: { layer, name, inputShape, outputShapes, variables }, uses: 0 };
    this.#named.set(name, kept);
    this.#layers.push(kept.built);
    return kept;
  }

  /** Checks that a shared layer has the same variables for these inputs. */
  #assertShared({ layer, name, variables }: BuiltLayer, again: LayerForm): void {
    variables.forEach(({ path, shape }, i) => {
      const other = again.variables[i]?.shape;
      if (other && sameShape(shape, other)) return;
      const message = `is shared, but "${path}" has shape ${showShape(shape)}, and for this input it would be ${other && showShape(other)}`;
      throw new FeaturemapError("shape", `${subject(layer.type, name)} ${message}. Make a layer for each input.`);
    });
  }
}

/** @throws FeaturemapError `shape` where a layer gives other outputs than before, as an app's own may */
export function assertSameOutputs(
  { layer, name }: Pick<BuiltLayer, "layer" | "name">,
  before: readonly Shape[],
  now: readonly Shape[],
): void {
  if (before.length === now.length && before.every((shape, i) => sameShape(shape, now[i]!))) return;
  const shown = (shapes: readonly Shape[]) => shapes.map(showShape).join(", ");
  const got = `${shown(before)} a sample at first, then ${shown(now)}`;
  throw new FeaturemapError(
    "shape",
    `${subject(layer.type, name)}: call() must give the same outputs each time, got ${got}.`,
  );
}
