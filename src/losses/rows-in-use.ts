import type { Add } from "../graph/op.ts";
import type { TensorId } from "../graph/tensor.ts";
import { sampleFactors } from "../ops/batch/sample-factors.ts";
import { reshape } from "../ops/elementwise/reshape.ts";

/** Adds a tensor of a number for each row, [batch, 1, ...] of as many axes as `rank`: above 0 for rows in use, 0 for the others. */
export function rowsInUse(
  { add, state }: { readonly add: Add; readonly state: TensorId },
  batch: number,
  rank: number,
): TensorId {
  const { factors } = add(sampleFactors, { state, weights: undefined }, { batch, scale: 1, byWeight: false });
  return perRow(add, factors, batch, rank);
}

/** Gives a tensor [batch] further axes of 1, so that it is broadcast along a tensor of as many axes as `rank`. */
export function perRow(add: Add, x: TensorId, batch: number, rank: number): TensorId {
  if (rank === 1) return x;
  return add(reshape, { x }, { shape: [batch, ...new Array<number>(rank - 1).fill(1)] }).y;
}
