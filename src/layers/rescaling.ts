import { finiteNumber, knownKeys } from "../base/errors.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { defineLayer } from "./define-layer.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface RescalingOptions extends LayerOptions {
  readonly scale: number;
  /** Default 0. */
  readonly offset?: number;
}

/**
 * y = x scale + offset: Keras's `Rescaling`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or no finite number
 * @example
 * rescaling({ scale: 1 / 127.5, offset: -1 });
 */
export function rescaling(options: RescalingOptions): Layer {
  const where = "rescaling";
  knownKeys(options, ["scale", "offset", ...LAYER_OPTIONS], where);
  const scale = finiteNumber(options.scale, `${where}: scale`);
  const offset = finiteNumber(options.offset ?? 0, `${where}: offset`);
  return defineLayer({
    type: "Rescaling",
    ...layerOptions(options, where),
    config: { scale, offset },
    call: ({ input: x, add }) => evaluated(add, ["add", ["multiply", "x", scale], offset], { x }),
  });
}
