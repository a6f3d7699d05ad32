import { knownKeys } from "../base/errors.ts";
import type { Model } from "../model/model.ts";
import type { Prediction } from "../model/run-types.ts";
import { checkedFactories, type FromConfigOptions, type ModelConfig, modelOf } from "./config.ts";
import type { ModelParts } from "./parts.ts";
import { type LoadOptions, loadedModel } from "./saving.ts";

/** Parts that an app's files have. */
export type ModelLoaderParts = Pick<ModelParts, "layers"> &
  Partial<
    Pick<ModelParts, "optimizers" | "schedules" | "transforms" | "wrappers" | "losses" | "metrics" | "augmentations">
  >;

/** `fromConfig` and `loadModel` with some parts of the library. */
export interface ModelLoader {
  fromConfig<Predicted = Prediction>(config: ModelConfig, options?: FromConfigOptions): Model<Predicted>;
  loadModel<Predicted = Prediction>(bytes: Uint8Array | ArrayBuffer, options?: LoadOptions): Promise<Model<Predicted>>;
}

/**
 * Makes `fromConfig` and `loadModel` for an app that knows which parts its files have. Only these are shipped, while the functions of
 * those names ship every layer of the library. Initializers, activations and losses that have names need not be among them.
 *
 * @throws FeaturemapError `value` for a part that is no function
 * @example
 * const { loadModel } = modelLoader({
 *   layers: { Conv2D: conv2d, Flatten: flatten, Dense: dense },
 *   optimizers: { adam },
 *   metrics: { accuracy },
 * });
 */
export function modelLoader(parts: ModelLoaderParts): ModelLoader {
  const where = "modelLoader";
  knownKeys(
    parts,
    ["layers", "optimizers", "schedules", "transforms", "wrappers", "losses", "metrics", "augmentations"],
    where,
  );
  const {
    layers,
    optimizers = {},
    schedules = {},
    transforms = {},
    wrappers = {},
    losses = {},
    metrics = {},
    augmentations = {},
  } = parts;
  const known: ModelParts = {
    layers: checkedFactories(layers, `${where}: layers`),
    optimizers: checkedFactories(optimizers, `${where}: optimizers`),
    schedules: checkedFactories(schedules, `${where}: schedules`),
    transforms: checkedFactories(transforms, `${where}: transforms`),
    wrappers: checkedFactories(wrappers, `${where}: wrappers`),
    losses: checkedFactories(losses, `${where}: losses`),
    metrics: checkedFactories(metrics, `${where}: metrics`),
    augmentations: checkedFactories(augmentations, `${where}: augmentations`),
    options: (config) => config,
  };
  return {
    fromConfig: (config, options = {}) => modelOf(config, options, known),
    loadModel: (bytes, options = {}) => loadedModel(bytes, options, known),
  };
}
