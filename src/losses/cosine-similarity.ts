import { knownKeys } from "../base/errors.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { alongLast, EPSILON, type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss, LossCall } from "./loss.ts";

/**
 * Cosine of the angle between y and t along the last axis, negated, so that it falls from 1 to -1 as they come to agree: Keras's
 * `CosineSimilarity` (`keras/src/losses/losses.py`). A vector of a length below 1e-7 counts as one of 1e-7. Labels are floats of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: cosineSimilarity(), optimizer: adam() });
 */
export function cosineSimilarity(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "cosineSimilarity");
  return libraryLoss("cosineSimilarity", options, { call: (call) => cosine(call, -1) });
}

/** Adds the mean cosine of each sample's vectors, [batch], times a factor. */
export function cosine(call: LossCall, factor: number) {
  const lengthOf = (square: string): Expression => ["sqrt", ["maximum", square, EPSILON ** 2]];
  const product = alongLast(call, "sum", ["multiply", "t", "y"]);
  const [ofY, ofT] = (["y", "t"] as const).map((each) => alongLast(call, "sum", ["square", each]));
  const share: Expression = ["divide", ["divide", "product", lengthOf("ofY")], lengthOf("ofT")];
  const tensors = { product, ofY: ofY!, ofT: ofT! };
  return sampleMean({ ...call, output: product }, ["multiply", share, factor], tensors);
}
