import { cut, FeaturemapError } from "../base/errors.ts";
import { freeName } from "../graph/graph.ts";
import type { AnyLayer } from "../layers/layer.ts";
import { checkLayer, unnumberedName } from "../layers/layer-check.ts";

/** Names of a model's layers. */
export class LayerNames {
  readonly #taken = new Set<string>();
  /** Number from which on names are free, by the name that a layer's type gives. */
  readonly #numbers = new Map<string, number>();

  /**
   * Finds a name for a layer: its own, or as in Keras `conv2d`, `conv2d_1`, and so on. Call `take` once the layer is in the model.
   *
   * @throws FeaturemapError `value` for something that is no layer, and for a name that another layer has
   */
  nameFor(layer: AnyLayer): { readonly name: string; take(): void } {
    checkLayer(layer);
    if (layer.name !== undefined) {
      const { name } = layer;
      if (this.#taken.has(name))
        throw new FeaturemapError("value", `The model has a layer named "${cut(name)}" already. Names must differ.`);
      return { name, take: () => void this.#taken.add(name) };
    }
    const wanted = unnumberedName(layer);
    const { name, number } = freeName(this.#taken, wanted, this.#numbers.get(wanted));
    return {
      name,
      take: () => {
        this.#numbers.set(wanted, number);
        this.#taken.add(name);
      },
    };
  }
}
