import { finiteNumber, knownKeys, wholeNumber } from "../base/errors.ts";
import { dropout as dropoutOp } from "../ops/elementwise/dropout.ts";
import { defineLayer } from "./define-layer.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface DropoutOptions extends LayerOptions {
  /** Share of the numbers that become 0, at least 0 and below 1. */
  readonly rate: number;
  /** Seed of the masks. Layers of different names have different masks. Default 0. */
  readonly seed?: number;
}

/**
 * Dropout, as Keras has it. In training it sets a share `rate` of the numbers to 0 and divides the others by 1 - rate. Otherwise it
 * passes them on. A hash of the seed, the layer's name, the step's number and the place makes the mask. So each step has its own
 * mask, and a training that is repeated or resumed has the same ones.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 */
export function dropout(options: DropoutOptions): Layer {
  const where = "dropout";
  knownKeys(options, ["rate", "seed", ...LAYER_OPTIONS], where);
  const rate = finiteNumber(options.rate, `${where}: rate`, 0, 1);
  const seed = wholeNumber(options.seed ?? 0, `${where}: seed`);
  return defineLayer({
    type: "Dropout",
    ...layerOptions(options, where),
    config: { rate, seed },
    call: ({ input, trainingState, add }) =>
      trainingState === undefined || rate === 0
        ? input
        : add(dropoutOp, { x: input, state: trainingState }, { rate, seed }).y,
  });
}
