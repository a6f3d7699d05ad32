import { knownKeys, listOf, optionalText } from "../base/errors.ts";
import type { LayerSpec } from "../layers/layer.ts";
import { stackArchitecture } from "../network/architecture.ts";
import { LayerStack } from "../network/layer-stack.ts";
import { Model } from "./model.ts";

/** Model of layers in a row: Keras's `Sequential`. */
export class Sequential extends Model {
  readonly #stack: LayerStack;

  /** @internal Use `sequential`. */
  constructor(layers: readonly LayerSpec[], name: string) {
    const stack = new LayerStack();
    super(stackArchitecture(stack), name);
    this.#stack = stack;
    for (const layer of listOf(layers, "sequential: layers")) this.add(layer);
  }

  override get [Symbol.toStringTag](): string {
    return "Sequential";
  }

  /**
   * Appends a layer.
   *
   * @throws FeaturemapError `shape` if it does not fit the layer before it; `state` during and after `compile`
   */
  add(layer: LayerSpec): void {
    this.assertCanGrow("model.add");
    this.#stack.add(layer);
  }
}

/** Makes a model of layers in a row; more can be added. */
export function sequential(layers: readonly LayerSpec[] = [], options: { readonly name?: string } = {}): Sequential {
  knownKeys(options, ["name"], "sequential");
  return new Sequential(layers, optionalText(options.name, "sequential: name") ?? "sequential");
}
