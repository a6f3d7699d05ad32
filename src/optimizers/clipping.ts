import { finiteNumber, wrong } from "../base/errors.ts";
import type { Add } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import { clipFactor, MOST_SUMS } from "../ops/clipping/clip-factor.ts";
import { clipByValue } from "../ops/clipping/clip-value.ts";
import { scaleBy } from "../ops/clipping/scale-by.ts";
import { squareSum } from "../ops/clipping/square-sum.ts";
import type { GradientTransform } from "./optimizer.ts";

/**
 * Clips each gradient by its norm. A norm above `norm` is scaled down to it: Keras's `clipnorm` (`keras/src/optimizers/base_optimizer.py`).
 * A NaN makes all of its gradient NaN. If the norm is infinite, finite numbers become 0.
 *
 * @throws FeaturemapError `value` where `norm` is not above 0
 * @example
 * await model.compile({ loss, optimizer: sgd({ learningRate: 0.1, transforms: [clipNorm(1)] }) });
 */
export function clipNorm(norm: number): GradientTransform {
  const clip = checkedLimit(norm, "clipNorm: norm");
  return each("clipNorm", { norm }, (x, add) =>
    scaled(x, add(clipFactor, { sums_0: add(squareSum, { x }).sums }, { clip }).y, add),
  );
}

/**
 * Clips each number of the gradients to between -`value` and `value`: Keras's `clipvalue`. A NaN stays one.
 *
 * @throws FeaturemapError `value` where `value` is not above 0
 * @example
 * await model.compile({ loss, optimizer: sgd({ learningRate: 0.1, transforms: [clipValue(0.5)] }) });
 */
export function clipValue(value: number): GradientTransform {
  const limit = checkedLimit(value, "clipValue: value");
  return each("clipValue", { value }, (x, add) => add(clipByValue, { x }, { limit }).y);
}

/**
 * Clips all gradients by one norm. If the norm of all of them together is above `norm`, one factor scales them down to it: Keras's
 * `global_clipnorm`. A norm that is NaN or infinite makes all gradients NaN.
 *
 * @throws FeaturemapError `value` where `norm` is not above 0
 * @example
 * await model.compile({ loss, optimizer: adam({ transforms: [globalClipNorm(1)] }) });
 */
export function globalClipNorm(norm: number): GradientTransform {
  const clip = checkedLimit(norm, "globalClipNorm: norm");
  return {
    name: "globalClipNorm",
    config: { norm },
    transform: ({ gradients, add }) => {
      const sums = [...gradients.values()].map((x) => add(squareSum, { x }).sums);
      let before: TensorId | undefined;
      for (let at = 0; at < sums.length; at += MOST_SUMS) {
        const [sums_0, sums_1, sums_2, sums_3] = sums.slice(at);
        const attributes = at + MOST_SUMS < sums.length ? {} : { clip, strict: true };
        before = add(clipFactor, { sums_0: sums_0!, sums_1, sums_2, sums_3, before }, attributes).y;
      }
      return new Map([...gradients].map(([path, x]) => [path, scaled(x, before!, add)]));
    },
  };
}

function each(
  name: string,
  config: Readonly<Record<string, number>>,
  change: (gradient: TensorId, add: Add) => TensorId,
): GradientTransform {
  return {
    name,
    config,
    transform: ({ gradients, add }) => new Map([...gradients].map(([path, x]) => [path, change(x, add)])),
  };
}

function scaled(x: TensorId, factor: TensorId, add: Add): TensorId {
  return add(scaleBy, { x, factor }).y;
}

function checkedLimit(limit: number, where: string): number {
  if (finiteNumber(limit, where) > 0) return limit;
  throw wrong(where, "be above 0", limit);
}
