import type { Model } from "../model/model.ts";
import type { Prediction } from "../model/run-types.ts";
import { LIBRARY } from "./library.ts";
import { type LoadOptions, loadedModel } from "./saving.ts";

/**
 * Loads a model that `saveModel` wrote: compiled as it was, with its weights. The file is checked as a whole before anything is made.
 * It is read before the promise is returned. What a model of several outputs predicts is given as a type, as for `fromConfig`.
 *
 * @throws FeaturemapError as `compile` does; `data` where the file is damaged or holds no model; `value` for weights that are not
 *   finite, for unknown options, and for a layer, loss, optimizer or metric that the library does not have: `layers`, `loss`, `optimizer`
 *   and `metrics` bring it
 * @example
 * const model = await loadModel(await (await fetch("digits.safetensors")).arrayBuffer());
 */
export function loadModel<Predicted = Prediction>(
  bytes: Uint8Array | ArrayBuffer,
  options: LoadOptions = {},
): Promise<Model<Predicted>> {
  return loadedModel(bytes, options, LIBRARY);
}
