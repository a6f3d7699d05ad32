import type { Model } from "../model/model.ts";
import type { Prediction } from "../model/run-types.ts";
import { type FromConfigOptions, type ModelConfig, modelOf } from "./config.ts";
import { LIBRARY } from "./library.ts";

/**
 * Makes a new model, not compiled, of an architecture that `toConfig` wrote down. It takes plain JSON: objects without classes,
 * nested up to 32 levels deep. The type of what a model of several outputs predicts is not in it: give it, as
 * `fromConfig<Record<"digit" | "parity", Prediction>>(config)`.
 *
 * @throws FeaturemapError `value` for a layer or option that is unknown or wrong; `shape` where layers do not fit together
 * @example
 * const copy = fromConfig(JSON.parse(JSON.stringify(toConfig(model))));
 */
export function fromConfig<Predicted = Prediction>(
  config: ModelConfig,
  options: FromConfigOptions = {},
): Model<Predicted> {
  return modelOf(config, options, LIBRARY);
}
