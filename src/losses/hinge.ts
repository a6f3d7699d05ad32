import { knownKeys } from "../base/errors.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { alongLast, type LossOptions, libraryLoss, sampleMean } from "./library-loss.ts";
import type { Loss, LossCall } from "./loss.ts";
import { rowsInUse } from "./rows-in-use.ts";

/**
 * Hinge loss, the mean of max(1 - t y, 0) over each sample's numbers: Keras's `Hinge` (`keras/src/losses/losses.py`). Labels are -1 and 1, of
 * the output's shape. If all of a batch are 0 or 1, a 0 stands for -1.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: hinge(), optimizer: sgd() });
 */
export function hinge(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "hinge");
  return libraryLoss("hinge", options, { call: (call) => margins(call, (margin) => margin) });
}

/**
 * Squared hinge loss, the mean of max(1 - t y, 0)^2 over each sample's numbers: Keras's `SquaredHinge`. Labels as those of `hinge`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: squaredHinge(), optimizer: sgd() });
 */
export function squaredHinge(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "squaredHinge");
  return libraryLoss("squaredHinge", options, { call: (call) => margins(call, (margin) => ["square", margin]) });
}

/**
 * Hinge loss of classes, max(1 + (largest y of the other classes) - (y of the label's class), 0): Keras's `CategoricalHinge`
 * (`keras/src/losses/losses.py`), whose other classes have (1 - t) y. Labels are rows of 0 and 1, of the output's shape.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape` in `fit` where labels have another shape
 * @example
 * await model.compile({ loss: categoricalHinge(), optimizer: sgd() });
 */
export function categoricalHinge(options: LossOptions = {}): Loss {
  knownKeys(options, ["reduction", "name"], "categoricalHinge");
  return libraryLoss("categoricalHinge", options, {
    call: (call) => {
      const own = alongLast(call, "sum", ["multiply", "t", "y"]);
      const other = alongLast(call, "max", ["multiply", ["subtract", 1, "t"], "y"]);
      const margin: Expression = ["maximum", ["add", ["subtract", "other", "own"], 1], 0];
      return sampleMean({ ...call, output: own }, margin, { own, other });
    },
  });
}

function margins(call: LossCall, of: (margin: Expression) => Expression): TensorId {
  const sign: Expression = ["where", "binary", ["subtract", ["multiply", 2, "t"], 1], "t"];
  const margin: Expression = ["maximum", ["subtract", 1, ["multiply", sign, "y"]], 0];
  return sampleMean(call, of(margin), { binary: areBinary(call) });
}

/** Adds the tensor that is 1 where all labels of the rows in use are 0 or 1, else 0. It has a size of 1 along each axis. */
function areBinary(call: LossCall): TensorId {
  const { labels: t, add } = call;
  const shape = call.shapeOf(t);
  const isBinary: Expression = ["add", ["equal", "t", 0], ["equal", "t", 1]];
  const reduction = { kind: "min", axes: shape.map((_, axis) => axis), keepDims: true } as const;
  const inUse = rowsInUse(call, shape[0]!, shape.length);
  return evaluated(add, ["where", "inUse", isBinary, 1], { t, inUse }, { reduction });
}
