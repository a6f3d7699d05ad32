import { FeaturemapError, knownKeys, wholeNumber } from "../base/errors.ts";
import { batchShape, type Shape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { type FactorOption, factorOption } from "../layers/augmentation.ts";
import { cutRows } from "../ops/mix/cut-rows.ts";
import { random } from "../ops/random/random.ts";
import type { Augmentation } from "../program/augmentation.ts";
import { type MixOptions, mixing } from "./mixing.ts";

export interface CutMixOptions extends MixOptions {
  /**
   * Range [low, high] within 0 and 1, or a number f for [0, f]. Each step draws a parameter a of it. The shares are of Beta(a, a). Default 1.
   */
  readonly factor?: FactorOption;
}

/** What Keras adds to the parameter, which must not be 0. */
const LEAST = 1e-6;

/**
 * Puts a box of another image into each image of a training batch: Keras's `CutMix`
 * (`keras/src/layers/preprocessing/image_preprocessing/cut_mix.py`, after Yun et al. 2019). Each image keeps a share w of Beta(a, a). The box has
 * the image's proportions, covers 1 - w of it, and lies anywhere within it. Labels become w y + (1 - w) y', and so do sample weights.
 * Labels that are images get the same box as the image, class numbers too. It runs on the GPU, in training only; draws are made as those of
 * `dropout`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range, and in `compile` where a loss takes class numbers only;
 *   `shape` in `compile` where inputs are no images of one size
 * @example
 * await segmenter.compile({ loss: sparseCategoricalCrossentropy(), optimizer: adam(), augment: [cutMix()] });
 */
export function cutMix(options: CutMixOptions = {}): Augmentation {
  const where = "cutMix";
  knownKeys(options, ["factor", "seed"], where);
  const factor = factorOption(options.factor ?? 1, `${where}: factor`, 0, 1);
  const seed = wholeNumber(options.seed ?? 0, `${where}: seed`);
  return mixing({
    where,
    name: "CutMix",
    config: { factor, seed },
    alpha: [factor[0] + LEAST, factor[1] + LEAST],
    changes: ({ add, state, batch, partners, weights, inputs }) => {
      const { y: draws } = add(random, { state }, { shape: [batch, 2], distribution: "uniform", seed });
      const [height, width] = inputs.find((shape) => shape.length === 3) ?? [];
      const boxed = (x: TensorId, sample: Shape, what: string, isImage: boolean): TensorId => {
        if (isImage && sample[0] === height && sample[1] === width)
          return add(cutRows, { x, partners, weights, draws }).y;
        const wanted = height === undefined ? "" : ` of ${height} x ${width}`;
        const message = `${where} cuts images [batch, height, width, channels]${wanted}, but ${what} is ${batchShape(sample)}`;
        throw new FeaturemapError("shape", `${message}. mixUp() mixes any numbers.`);
      };
      return {
        inputs: (x, sample, what) => boxed(x, sample, what, sample.length === 3),
        images: (x, sample, what) => boxed(x, sample, what, sample.length < 4),
      };
    },
  });
}
