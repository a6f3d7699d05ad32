import { finiteNumber, knownKeys, wholeNumber, wrong } from "../base/errors.ts";
import { mixRows } from "../ops/mix/mix-rows.ts";
import type { Augmentation } from "../program/augmentation.ts";
import { type MixOptions, mixing } from "./mixing.ts";

export interface MixUpOptions extends MixOptions {
  /** Parameter of Beta(alpha, alpha), above 0, of which the shares are drawn. Small ones mix little. Default 0.2. */
  readonly alpha?: number;
}

/**
 * Mixes each sample of a training batch with another one: Keras's `MixUp`
 * (`keras/src/layers/preprocessing/image_preprocessing/mix_up.py`, after Zhang et al. 2018). With a share w of Beta(alpha, alpha), x becomes
 * w x + (1 - w) x' and y becomes w y + (1 - w) y'. The partners x' are the batch's samples in another order. All inputs, labels and sample
 * weights of a row are mixed by one w. Class numbers become rows of weights first. It runs on the GPU, in training only; draws are made as
 * those of `dropout`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range, and in `compile` where a loss takes class numbers only
 * @example
 * await model.compile({ loss: "categoricalCrossentropy", optimizer: adam(), augment: [mixUp({ alpha: 0.2 })] });
 */
export function mixUp(options: MixUpOptions = {}): Augmentation {
  const where = "mixUp";
  knownKeys(options, ["alpha", "seed"], where);
  const alpha = finiteNumber(options.alpha ?? 0.2, `${where}: alpha`);
  if (alpha < 1e-6) throw wrong(`${where}: alpha`, "be at least 1e-6", alpha);
  const seed = wholeNumber(options.seed ?? 0, `${where}: seed`);
  return mixing({
    where,
    name: "MixUp",
    config: { alpha, seed },
    alpha: [alpha, alpha],
    changes: ({ add, partners, weights }) => ({ inputs: (x) => add(mixRows, { x, partners, weights }).y }),
  });
}
