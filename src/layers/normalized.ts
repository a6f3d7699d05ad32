import type { Add } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import { stopGradient } from "../ops/elementwise/stop-gradient.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";

/**
 * Adds y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with the mean and the biased variance along axes. The variance is made of
 * deviations, so that a mean that is large beside them costs no digits.
 */
export function normalized(
  add: Add,
  x: TensorId,
  axes: readonly number[],
  epsilon: number,
  { gamma, beta }: { readonly gamma: TensorId | undefined; readonly beta: TensorId | undefined },
): TensorId {
  const reduction = { kind: "mean", axes, keepDims: true } as const;
  const mean = evaluated(add, "x", { x }, { reduction });
  // The deviations add up to 0, so the variance does not depend on the mean.
  const fixed = add(stopGradient, { x: mean }).y;
  const variance = evaluated(add, ["square", ["subtract", "x", "mean"]], { x, mean: fixed }, { reduction });
  const deviation: Expression = ["divide", ["subtract", "x", "mean"], ["sqrt", ["add", "variance", epsilon]]];
  const scaled: Expression = gamma === undefined ? deviation : ["multiply", deviation, "gamma"];
  const shifted: Expression = beta === undefined ? scaled : ["add", scaled, "beta"];
  return evaluated(add, shifted, { x, mean, variance, gamma: gamma!, beta: beta! });
}
