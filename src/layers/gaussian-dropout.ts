import { finiteNumber } from "../base/errors.ts";
import type { Layer } from "./layer.ts";
import { noiseLayer, type SeededOptions } from "./noise.ts";

export interface GaussianDropoutOptions extends SeededOptions {
  /** Rate of the dropout whose deviation this noise has, at least 0 and below 1. */
  readonly rate: number;
}

/**
 * Noise that multiplies in training: y = x (1 + sqrt(rate / (1 - rate)) n), with n of the standard normal distribution. Otherwise y = x.
 * Keras's `GaussianDropout` (`keras/src/layers/regularization/gaussian_dropout.py`). Draws are made as those of `dropout`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * gaussianDropout({ rate: 0.25 });
 */
export function gaussianDropout(options: GaussianDropoutOptions): Layer {
  const where = "gaussianDropout";
  const rate = finiteNumber(Object(options).rate, `${where}: rate`, 0, 1);
  const factor = ["add", 1, ["multiply", Math.sqrt(rate / (1 - rate)), "noise"]] as const;
  return noiseLayer(options, {
    where,
    type: "GaussianDropout",
    amount: ["rate", rate],
    distribution: "normal",
    expression: ["multiply", "x", factor],
  });
}
