import { FeaturemapError, show, wrong } from "../base/errors.ts";
import { type Shape, sameShape, showShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { callable } from "../layers/define-layer.ts";
import {
  type AnyLayer,
  type Layer,
  type LayerInput,
  type LayerOutputs,
  type SymbolicTensor,
  subject,
  symbolicInput,
  symbolicOutputs,
  type VariableSpec,
} from "../layers/layer.ts";
import type { BuiltLayer, Network } from "../network/network.ts";
import { assertModel, INTERNALS, type WithInternals } from "./internals.ts";
import type { Model } from "./model.ts";

/** Any model, whatever it predicts. */
export type AnyModel = WithInternals & Pick<Model, "name" | "runtime">;

/**
 * Layer of a model, out of which others are built: Keras's `model.get_layer(name)`. It can be called again. A model that is built with it
 * begins with the weights that the first model has when the new one is compiled. From then on each has weights of its own.
 */
export interface ModelLayer<Outputs extends LayerOutputs = TensorId> extends Layer<Outputs> {
  /** Name in its model, which it also has in the next: `conv2d_1`. */
  readonly name: string;
  /** Whether its parameters are learned. It is that of the layer itself, and counts when a model is compiled. */
  trainable: boolean;
  /** Inputs and outputs of its first use, as symbolic tensors. */
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
  /** Input, or the first of several. */
  readonly input: SymbolicTensor;
  /** Output, or the first of several. */
  readonly output: SymbolicTensor;
  /** Shape of one sample of the output, or of the first of several. */
  readonly outputShape: Shape;
}

/**
 * Gives a layer of a model by its name, or by its place: Keras's `get_layer`. A negative place counts from the end, as `at(-1)` does.
 *
 * @throws FeaturemapError `value` where the model has no such layer; `state` where its input's shape is not known yet
 * @example
 * const features = getLayer(base, "flatten").output;
 * const mine = model({ inputs: getInputs(base), outputs: dense({ units: 3, activation: "softmax", name: "mine" })(features) });
 */
export function getLayer<Outputs extends LayerOutputs = TensorId>(
  model: AnyModel,
  which: string | number,
): ModelLayer<Outputs> {
  const layers = layersIn(model, "getLayer");
  const found =
    typeof which === "number"
      ? layers.at(Number.isInteger(which) ? which : layers.length)
      : layers.find(({ name }) => name === which);
  if (found) return found as unknown as ModelLayer<Outputs>;
  const names = layers.map(({ name }) => name);
  const what =
    typeof which === "number" ? `be a place from ${-names.length} to ${names.length - 1}` : "be a layer's name";
  throw wrong("getLayer", what, which, `The model has: ${show(names)}.`);
}

/** Gives all layers of a model, in the order of its summary: Keras's `model.layers`. Throws as `getLayer` does. */
export function getLayers(model: AnyModel): readonly ModelLayer[] {
  return layersIn(model, "getLayers");
}

/** Gives a model's inputs as symbolic tensors: Keras's `model.inputs`. Throws as `getLayer` does. */
export function getInputs(model: AnyModel): readonly SymbolicTensor[] {
  const { network, values } = opened(model, "getInputs");
  return values.slice(0, network.inputs.length);
}

/** Gives a model's outputs as symbolic tensors: Keras's `model.outputs`. Throws as `getLayer` does. */
export function getOutputs(model: AnyModel): readonly SymbolicTensor[] {
  const { network, values } = opened(model, "getOutputs");
  return network.outputs.map(({ value }) => values[value]!);
}

/** Network of a model as symbolic tensors, by the numbers of its values. */
interface Opened {
  readonly network: Network;
  readonly values: SymbolicTensor[];
  readonly handles: Map<BuiltLayer, ModelLayer>;
  /** Uses of layers whose outputs are among the values. */
  uses: number;
}

/** What was given out of each network, so that a layer is the same whenever it is asked for. */
const openedNetworks = /* @__PURE__ */ new WeakMap<Network, Opened>();

function layersIn(model: AnyModel, where: string): readonly ModelLayer[] {
  const { network, handles } = opened(model, where);
  return network.layers.map((built) => handles.get(built)!);
}

function opened(model: AnyModel, where: string): Opened {
  const network = networkIn(model, where);
  let known = openedNetworks.get(network);
  if (!known) {
    const values = network.inputs.map(({ name, shape }) => symbolicInput(shape, name));
    known = { network, values, handles: new Map(), uses: 0 };
    openedNetworks.set(network, known);
  }
  const { values, handles } = known;
  // A sequential model may have grown.
  for (; known.uses < network.uses.length; known.uses++) {
    const { built, inputs, outputs } = network.uses[known.uses]!;
    const from = inputs.map((value) => values[value]!);
    const layer = handles.get(built);
    const handle = layer ?? handleOf(model, built);
    const made = symbolicOutputs(
      handle,
      from,
      outputs.map(({ shape }) => shape),
    );
    outputs.forEach(({ value }, i) => {
      values[value] = made[i]!;
    });
    if (layer) continue;
    handles.set(built, withTensors(handle, from, made));
  }
  return known;
}

/** Gives the network of a model that is built. */
export function networkIn(model: AnyModel, where: string): Network {
  assertModel(model, where);
  const { network } = model[INTERNALS].architecture;
  if (network && network.uses.length > 0) return network;
  const why = "the model's layers are not known yet: give the first layer an inputShape";
  throw new FeaturemapError("state", `${where}: ${why}.`);
}

/** Makes a layer that does what a model's layer does, and begins with its weights. */
export function handleOf(
  model: AnyModel,
  built: BuiltLayer,
  { name = built.name, frozen = () => false }: { readonly name?: string; readonly frozen?: () => boolean } = {},
): Layer {
  const { layer } = built;
  const { losses } = layer;
  const fixed: Partial<AnyLayer> = {
    type: layer.type,
    name,
    ...(layer.inputShape && { inputShape: layer.inputShape }),
    ...(layer.config && { config: layer.config }),
    variables: (place) => carriedVariables(model, built, place),
    call: (call) => layer.call(call),
    ...(losses && { losses: (call) => losses.call(layer, call) }),
  };
  const trainable: PropertyDescriptor = {
    enumerable: true,
    get: () => (layer.trainable ?? true) && !frozen(),
    set: (value: boolean) => {
      if (Reflect.set(layer, "trainable", value)) return;
      const why = "its object is frozen. Make it by defineLayer(), or dense() and its like";
      throw new FeaturemapError("value", `${subject(layer.type, name)}: trainable cannot be set, since ${why}.`);
    },
  };
  return callable({ ...Object.getOwnPropertyDescriptors(fixed), trainable });
}

function withTensors(layer: Layer, inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): ModelLayer {
  const [input, output] = [inputs[0]!, outputs[0]!];
  const tensors = { inputs, outputs, input, output, outputShape: output.shape };
  return Object.defineProperties(layer, Object.getOwnPropertyDescriptors(tensors)) as ModelLayer;
}

/**
 * Gives the variables of a model's layer for some inputs, each with the values that the model has.
 *
 * @throws FeaturemapError `shape` where they have other shapes than in that model
 */
function carriedVariables(model: AnyModel, { layer, name, variables }: BuiltLayer, place: LayerInput): VariableSpec[] {
  const before = new Map(variables.map((variable) => [variable.path, variable]));
  return (layer.variables?.(place) ?? []).map((spec) => {
    const path = `${name}/${spec.name}`;
    const known = before.get(path);
    if (known && !sameShape(known.shape, spec.shape)) {
      const shapes = `has shape ${showShape(known.shape)} there, and for this input it would be ${showShape(spec.shape)}`;
      const from = `is a layer of model "${model.name}", but its "${spec.name}" ${shapes}`;
      throw new FeaturemapError("shape", `${subject(layer.type, place.name)} ${from}. Make a layer of its own.`);
    }
    return { ...spec, carried: () => valueIn(model, path) };
  });
}

/** Reads a variable of a model. `undefined` if it is not compiled: then its values are not chosen yet. */
async function valueIn(model: AnyModel, path: string): Promise<Float32Array | Uint32Array | undefined> {
  const where = `compile: weights "${path}" of model "${model.name}"`;
  if (model.runtime === undefined) {
    // It may be disposed.
    model[INTERNALS].assertIdle(where);
    return undefined;
  }
  const { variables } = await model[INTERNALS].ready(where);
  const stored = variables.store
    .of("parameter", "statistic", "counter")
    .find(({ variable }) => variable.path === path)!;
  const [bytes] = await variables.read([stored]);
  return stored.variable.dtype === "u32" ? new Uint32Array(bytes!) : new Float32Array(bytes!);
}
