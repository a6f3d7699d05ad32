import { knownKeys } from "../base/errors.ts";
import { defineLayer } from "./define-layer.ts";
import type { Layer } from "./layer.ts";
import {
  activated,
  activationOption,
  LAYER_OPTIONS,
  type LayerActivation,
  type LayerOptions,
  layerOptions,
} from "./options.ts";

export interface ActivationOptions extends LayerOptions {
  readonly activation: LayerActivation;
}

/**
 * An activation as a layer of its own, Keras's `Activation`, where it does not follow a kernel at once: behind `batchNormalization()`,
 * say. It rides in the kernel of the layer before, wherever that has a place for it.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 */
export function activation(options: ActivationOptions): Layer {
  const where = "activation";
  knownKeys(options, ["activation", ...LAYER_OPTIONS], where);
  const kind = activationOption(options.activation, `${where}: activation`);
  return defineLayer({
    type: "Activation",
    ...layerOptions(options, where),
    config: { activation: kind },
    call: (call) => activated(call, call.input, kind),
  });
}
