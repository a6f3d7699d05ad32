import { finiteNumber, wrong } from "../base/errors.ts";
import type { Layer } from "./layer.ts";
import { noiseLayer, type SeededOptions } from "./noise.ts";

export interface GaussianNoiseOptions extends SeededOptions {
  /** Standard deviation of what is added, from 0 to 1. */
  readonly stddev: number;
}

/**
 * Noise that is added in training: y = x + stddev n, with n of the standard normal distribution. Otherwise y = x. Keras's `GaussianNoise`
 * (`keras/src/layers/regularization/gaussian_noise.py`). Draws are made as those of `dropout`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * gaussianNoise({ stddev: 0.1 });
 */
export function gaussianNoise(options: GaussianNoiseOptions): Layer {
  const where = "gaussianNoise";
  const stddev = finiteNumber(Object(options).stddev, `${where}: stddev`, 0);
  if (stddev > 1) throw wrong(`${where}: stddev`, "be at most 1, as in Keras", stddev);
  const expression = ["add", "x", ["multiply", stddev, "noise"]] as const;
  return noiseLayer(options, {
    where,
    type: "GaussianNoise",
    amount: ["stddev", stddev],
    distribution: "normal",
    expression,
  });
}
