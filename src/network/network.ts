import { cut, FeaturemapError } from "../base/errors.ts";
import { type Shape, sameShape, showShape } from "../base/shape.ts";
import type { Graph } from "../graph/graph.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Variable } from "../graph/variable.ts";
import { buildLayer, callLayer } from "../layers/call-layer.ts";
import { initialize } from "../layers/initializers.ts";
import { type LayerSpec, subject } from "../layers/layer.ts";

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
  readonly layer: LayerSpec;
  readonly name: string;
  /** Shape of one sample of the first input. */
  readonly inputShape: Shape;
  /** Shape of one sample of the output. */
  readonly outputShape: Shape;
  /** Variables as they are while the layer is not frozen. */
  readonly variables: readonly Variable[];
}

/** Use of a layer. A shared layer has several. */
export interface LayerUse {
  readonly built: BuiltLayer;
  /** Name of its first node in graphs: the layer's, with a number from the second use on. */
  readonly node: string;
  readonly inputs: readonly ValueId[];
  readonly output: ValueId;
  /** Shape of one sample of the output. */
  readonly outputShape: Shape;
}

/** Network of a model: layers, their variables, and how values go from one to the next. It needs no GPU. */
export class Network {
  #inputs: NetworkInput[] = [];
  #uses: LayerUse[] = [];
  #layers: BuiltLayer[] = [];
  /** Layers by name, and how often each is used so far. */
  readonly #named = new Map<string, { readonly built: BuiltLayer; uses: number }>();
  readonly #paths = new Set<string>();
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

  /** Variables of the layers, layer by layer: the order of Keras's `get_weights`. Those of a frozen layer are not trainable. */
  get variables(): readonly Variable[] {
    return this.#layers.flatMap((built) =>
      this.#isTrainable(built) ? built.variables : built.variables.map((each) => ({ ...each, trainable: false })),
    );
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

  /** Adds a layer under a name, or another use of it. If the layer does not fit it throws, and the network stays as it was. */
  addUse(layer: LayerSpec, name: string, inputs: readonly ValueId[]): ValueId {
    const shared = this.#named.get(name);
    const values = inputs.map((value) => this.#values[value]!);
    const built = buildLayer(layer, {
      name,
      input: values[0]!.shape,
      inputs: values.map(({ shape }) => shape),
      from: values[0]!.from,
    });
    if (shared) this.#assertShared(shared.built, built.variables);
    const known = shared ?? this.#keep(layer, name, values[0]!.shape, built);
    known.uses++;
    const output = this.#values.push({ shape: built.outputShape, from: name }) - 1;
    const node = known.uses === 1 ? name : `${name}/use_${known.uses}`;
    this.#uses.push({ built: known.built, node, inputs, output, outputShape: built.outputShape });
    return output;
  }

  setOutputs(outputs: readonly { readonly name: string; readonly value: ValueId }[]): void {
    this.#outputs = outputs;
  }

  /** Copies the network. Layers of the copy are trainable as told, by name, whatever an app sets later. */
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

  #isTrainable({ name, layer }: BuiltLayer): boolean {
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
    for (const { built, node, inputs: from, output } of this.#uses) {
      const { layer, name } = built;
      values[output] = callLayer(graph, layer, {
        name: node,
        inputs: from.map((value) => values[value]!),
        variables: Object.fromEntries(
          built.variables.map(({ path }) => [path.slice(name.length + 1), variables.get(path)!]),
        ),
        training,
        trainable: this.#isTrainable(built),
      });
    }
    return values;
  }

  #keep(layer: LayerSpec, name: string, inputShape: Shape, built: ReturnType<typeof buildLayer>) {
    const variables = built.variables.map(
      ({ name: own, shape, initializer, role = "parameter", trainable = true }): Variable => ({
        path: `${name}/${own}`,
        shape,
        dtype: "f32",
        role,
        trainable: role === "parameter" && trainable,
        initial: (seed) => initialize(initializer, shape, seed),
      }),
    );
    const twice = variables.find(({ path }) => this.#paths.has(path));
    if (twice)
      throw new FeaturemapError("value", `The model has a variable "${cut(twice.path)}" already. Names must differ.`);
    for (const { path } of variables) this.#paths.add(path);
    const kept = { built: { layer, name, inputShape, outputShape: built.outputShape, variables }, uses: 0 };
    this.#named.set(name, kept);
    this.#layers.push(kept.built);
    return kept;
  }

  /** Checks that a shared layer has the same variables for these inputs. */
  #assertShared({ layer, name, variables }: BuiltLayer, again: readonly { readonly shape: Shape }[]): void {
    variables.forEach(({ path, shape }, i) => {
      const other = again[i]?.shape;
      if (other && sameShape(shape, other)) return;
      const message = `is shared, but "${path}" has shape ${showShape(shape)}, and for this input it would be ${other && showShape(other)}`;
      throw new FeaturemapError("shape", `${subject(layer.type, name)} ${message}. Make a layer for each input.`);
    });
  }
}
