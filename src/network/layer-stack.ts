import { FeaturemapError } from "../base/errors.ts";
import { type Shape, sameShape, showShape } from "../base/shape.ts";
import { type AnyLayer, subject } from "../layers/layer.ts";
import { LayerNames } from "./layer-names.ts";
import { Network } from "./network.ts";

/** Stack of named layers. It is built into a network as soon as the input's shape is known. */
export class LayerStack {
  readonly #layers: { readonly layer: AnyLayer; readonly name: string }[] = [];
  readonly #names = new LayerNames();
  #network: Network | undefined;

  get layers(): readonly { readonly layer: AnyLayer; readonly name: string }[] {
    return this.#layers;
  }

  /** Network; `undefined` until the first layer or the data tells the input's shape. */
  get network(): Network | undefined {
    return this.#network;
  }

  /** Appends a layer. If the layer does not fit, or has several outputs, it throws, and the stack stays as it was. */
  add(layer: AnyLayer): void {
    const { name, take } = this.#names.nameFor(layer);
    const known = this.#network;
    const inputShape = this.#layers.length === 0 ? layer.inputShape : undefined;
    if (known) append(known, layer, name);
    else if (inputShape) this.#network = chain(inputShape, [{ layer, name }]);
    this.#layers.push({ layer, name });
    take();
  }

  /**
   * Builds the network for samples of a shape.
   *
   * @throws FeaturemapError `state` where there are no layers; `shape` where they do not fit together, or the samples
   */
  networkFor(sample: Shape): Network {
    if (this.#layers.length === 0)
      throw new FeaturemapError("state", "The model has no layers. Add some with model.add().");
    return this.#network ?? chain(sample, this.#layers);
  }

  /** Keeps the network that `networkFor` gave. */
  build(network: Network): void {
    this.#network = network;
  }
}

/**
 * Builds the network of layers in a row. The first must know its input's shape.
 *
 * @throws FeaturemapError `state` if it does not
 */
export function networkOfLayers(layers: readonly AnyLayer[]): Network {
  const stack = new LayerStack();
  for (const layer of layers) stack.add(layer);
  const { network } = stack;
  if (network) return network;
  throw new FeaturemapError("state", "The input's shape is not known: give the first layer an inputShape.");
}

/** Builds the network of layers one after another. */
function chain(shape: Shape, layers: readonly { readonly layer: AnyLayer; readonly name: string }[]): Network {
  const network = new Network();
  network.addInput("input", shape);
  for (const { layer, name } of layers) append(network, layer, name);
  return network;
}

function append(network: Network, layer: AnyLayer, name: string): void {
  const [last] = network.outputs;
  const before = last?.shape ?? network.inputs[0]!.shape;
  if (layer.inputShape && !sameShape(layer.inputShape, before)) {
    const got = `${showShape(layer.inputShape)}, but what comes in is ${showShape(before)}`;
    throw new FeaturemapError("shape", `${subject(layer.type, name)} was given inputShape ${got}. Leave it out.`);
  }
  const { outputs } = network.addUse(layer, name, [last?.value ?? 0], ({ outputShapes }) => {
    if (outputShapes.length === 1) return;
    const what = `has ${outputShapes.length} outputs, and the next layer in a row takes one`;
    const remedy = "Call it on symbolic tensors: model({ inputs, outputs }).";
    throw new FeaturemapError("value", `${subject(layer.type, name)} ${what}. ${remedy}`);
  });
  network.setOutputs([{ name, value: outputs[0]!.value }]);
}
