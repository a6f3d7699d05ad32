import { FeaturemapError, listOf, wrong } from "../../base/errors.ts";
import { showShape } from "../../base/shape.ts";
import { defineOp, type Op, typed } from "../../graph/op.ts";
import { dispatchRearrange, stridesOf } from "./rearrange.ts";

interface Attributes {
  /** Elements that are put before those of x, along each axis. Below 0 they are cut off. */
  readonly before: readonly number[];
  /** Elements that are put after them. Below 0 they are cut off. */
  readonly after: readonly number[];
  /** Value of what is put there. Default 0. */
  readonly value?: number;
}

/** Padding, and with numbers below 0 a crop: y is x with elements put before and after it, or cut off, along each axis. */
export const pad: Op<"x", "y", Attributes> = defineOp({
  name: "pad",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: ({ x }, { before, after }, where) => {
    for (const [name, sizes] of Object.entries({ before, after })) {
      const own = `"${where}": ${name}`;
      const whole = [...listOf(sizes, own)].every((size) => Number.isInteger(size));
      if (!whole || sizes.length !== x.shape.length)
        throw wrong(own, `be a whole number for each of ${x.shape.length} axes`, sizes);
    }
    const shape = x.shape.map((size, axis) => before[axis]! + size + after[axis]!);
    if (shape.some((size) => size < 1)) {
      const got = `${showShape(before)} before and ${showShape(after)} after`;
      throw new FeaturemapError("shape", `"${where}" leaves nothing of ${showShape(x.shape)} with ${got}.`);
    }
    return { y: { shape, dtype: "f32" } };
  },
  gradient: ({ gradients: { y: dy }, attributes: { before, after }, add }) => {
    const [start, end] = [before, after].map((sizes) => sizes.map((size) => -size)) as [number[], number[]];
    return { x: add(pad, { x: dy! }, { before: start, after: end }).y };
  },
  lower: ({ node, inputs: { x }, outputs: { y }, attributes: { before, value } }) => {
    const strides = stridesOf(x.shape);
    const arranged = y.shape.map((size, axis) => {
      return { size, stride: strides[axis]!, offset: -before[axis]!, limit: x.shape[axis]! };
    });
    return dispatchRearrange({ x, y }, arranged, node.name, value);
  },
});
