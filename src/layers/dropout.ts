import { finiteNumber, knownKeys, optionalText, wholeNumber } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { dropoutOps } from "../ops/elementwise/dropout.ts";
import type { Layer } from "./layer.ts";
import { inputShapeOption } from "./options.ts";

export interface DropoutOptions {
  /** Share of the numbers that become 0, at least 0 and below 1. */
  readonly rate: number;
  /** Seed of the masks; layers of different names have different ones. Default 0. */
  readonly seed?: number;
  /** Shape of one sample, without the batch axis. */
  readonly inputShape?: Shape;
  readonly name?: string;
}

/**
 * In training, sets a share `rate` of the numbers to 0 and divides the others by 1 - rate; else passes them on: Keras's
 * `Dropout`. Which, a hash of the seed, the layer's name, the step's number and the place says: each step its own mask, and
 * the same ones whenever a training is repeated or resumed.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 */
export function dropout(options: DropoutOptions): Layer {
  const where = "dropout";
  knownKeys(options, ["rate", "seed", "inputShape", "name"], where);
  const rate = finiteNumber(options.rate, `${where}: rate`, 0, 1);
  const seed = wholeNumber(options.seed ?? 0, `${where}: seed`);
  return {
    type: "Dropout",
    ops: dropoutOps,
    name: optionalText(options.name, `${where}: name`),
    inputShape: inputShapeOption(options.inputShape, `${where}: inputShape`),
    config: { rate, seed },
    parameters: () => [],
    call: ({ input, trainingState, add }) =>
      trainingState === undefined || rate === 0 ? input : add("dropout", [input, trainingState], { rate, seed })[0]!,
  };
}
