import { wrong } from "../base/errors.ts";
import type { TensorId } from "../graph/tensor.ts";
import { transpose } from "../ops/arrange/transpose.ts";
import type { ActivationCall } from "./options.ts";

/** Makes the axis that `axis` names the last one, calls `run`, and moves it back. */
export function alongAxis(
  { add, shapeOf }: ActivationCall,
  x: TensorId,
  axis: number,
  where: string,
  run: (x: TensorId) => TensorId,
): TensorId {
  const rank = shapeOf(x).length;
  const at = axis < 0 ? rank + axis : axis;
  if (at < 1 || at >= rank) throw wrong(`${where}: axis`, `name an axis of ${rank} beside the batch's`, axis);
  if (at === rank - 1) return run(x);
  const axes = lastOrder(rank, at);
  const back = axes.map((_, each) => axes.indexOf(each));
  return add(transpose, { x: run(add(transpose, { x }, { axes }).y) }, { axes: back }).y;
}

/** Order of axes in which one of them is the last. */
export function lastOrder(rank: number, axis: number): number[] {
  return [...[...Array(rank).keys()].filter((each) => each !== axis), axis];
}
