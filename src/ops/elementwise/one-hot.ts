import source from "../../../shaders/elementwise/one_hot.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { elements, type Shape, showShape } from "../../base/shape.ts";
import { defineOp, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ t: "read?"; class_of: "read?"; y: "write" }> = source;

interface Attributes {
  /** Shape of y, the classes as its last axis. */
  readonly shape: Shape;
  /** Class whose rows are 0. Default: none. */
  readonly ignored?: number | undefined;
}

/**
 * Rows of class numbers: y[..., c] is 1 where c is the class, else 0. The classes are whole numbers or floats, one for each row of y. Another
 * number than that of a class gives a row of 0. Labels have no gradient.
 */
export const oneHot = defineOp({
  name: "oneHot",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<Attributes>(),
  infer: ({ x }, { shape }, where) => {
    const classes = shape.at(-1)!;
    if (elements(x.shape) * classes === elements(shape)) return { y: { shape, dtype: "f32" } };
    const got = `${showShape(x.shape)} for ${showShape(shape)}`;
    throw new FeaturemapError("shape", `"${where}" wants a class number for each row of ${classes}, got ${got}.`);
  },
  lower: ({ inputs: { x }, outputs: { y }, attributes: { shape, ignored } }) => {
    const classes = shape.at(-1)!;
    const count = elements(shape);
    const isWhole = x.dtype === "u32";
    return [
      dispatchEach(kernel, count, {
        bind: { t: isWhole ? undefined : x, class_of: isWhole ? x : undefined, y },
        constants: { ROWS: count / classes, CLASSES: classes, WHOLE: isWhole, IGNORED: ignored ?? classes },
      }),
    ];
  },
});
