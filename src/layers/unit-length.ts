import type { Add } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";

/** Adds x over its Euclidean length along axes, or over `epsilon` where that is longer: Keras's `ops.normalize` (`keras/src/ops/nn.py`). */
export function unitLength(add: Add, x: TensorId, axes: readonly number[], epsilon: number): TensorId {
  const squares = evaluated(add, ["square", "x"], { x }, { reduction: { kind: "sum", axes, keepDims: true } });
  // Of a length of 0 no root is taken: its gradient would be no number.
  const isLong: Expression = ["greater", "squares", epsilon ** 2];
  const length: Expression = ["where", isLong, ["sqrt", ["where", isLong, "squares", 1]], epsilon];
  return evaluated(add, ["divide", "x", length], { x, squares });
}
