import { listOf, wrong } from "../../base/errors.ts";
import { defineOp, type Op, typed } from "../../graph/op.ts";
import { dispatchRearrange, stridesOf } from "./rearrange.ts";

interface Attributes {
  /** Axis of x for each axis of y. */
  readonly axes: readonly number[];
}

/** Transpose: axis i of y is axis `axes[i]` of x. */
export const transpose: Op<"x", "y", Attributes> = defineOp({
  name: "transpose",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: ({ x }, { axes }, where) => {
    const every = x.shape.map((_, axis) => axis);
    const known = [...listOf(axes, `"${where}": axes`)];
    if (known.length !== every.length || !every.every((axis) => known.includes(axis)))
      throw wrong(`"${where}": axes`, `be ${every.join(", ")} in some order`, axes);
    return { y: { shape: axes.map((axis) => x.shape[axis]!), dtype: "f32" } };
  },
  gradient: ({ gradients: { y: dy }, attributes: { axes }, add }) => {
    const back = axes.map((_, axis) => axes.indexOf(axis));
    return { x: add(transpose, { x: dy! }, { axes: back }).y };
  },
  lower: ({ node, inputs: { x }, outputs: { y }, attributes: { axes } }) => {
    const strides = stridesOf(x.shape);
    const arranged = axes.map((axis) => {
      const size = x.shape[axis]!;
      return { size, stride: strides[axis]!, offset: 0, limit: size };
    });
    return dispatchRearrange({ x, y }, arranged, node.name);
  },
});
