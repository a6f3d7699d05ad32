import tapsSource from "../../../shaders/resample/lib/taps.wgsl";
import source from "../../../shaders/resample/resample.wgsl";
import gradientSource from "../../../shaders/resample/resample_gradient.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, type Shape, showShape } from "../../base/shape.ts";
import { defineOp, type Op, typed } from "../../graph/op.ts";
import type { Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

/** How a number between two places of an axis is made: of both by their distance, or of the nearest. */
export type Interpolation = "bilinear" | "nearest";

export interface ResampleAttributes {
  readonly axis: number;
  /** Places of the axis afterwards. */
  readonly size: number;
  readonly interpolation: Interpolation;
  /** Whether a number is a mean of all that it stands for, where an axis becomes shorter. Nearest ones never are. Default false. */
  readonly antialias?: boolean;
}

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

const gradientKernel: Kernel<{ dy: "read"; dx: "write" }> = gradientSource;

/** Most places of an axis, so that its units can be counted in 32 bits. */
const MOST = 16384;

/** Gives how far the places of x may lie from one of y that they make, in the units of `taps.wgsl`. Weights are 0 just beyond. */
function reachOf(length: number, { size, interpolation, antialias }: ResampleAttributes) {
  if (interpolation === "nearest") return { BELOW: size - 1, ABOVE: size };
  const reach = 2 * (antialias ? Math.max(length, size) : size) - 1;
  return { BELOW: reach, ABOVE: reach };
}

/** Gives the constants and libraries of both kernels, and the length of what they read in one piece. */
function callOf(x: Shape, attributes: ResampleAttributes) {
  const { axis, size, interpolation } = attributes;
  const [outer, inner] = [elements(x.slice(0, axis)), elements(x.slice(axis + 1))];
  const sizes = { OUTER: outer, IN: x[axis]!, OUT: size, INNER: inner, LINEAR: interpolation !== "nearest" };
  const given = { ...sizes, ...reachOf(x[axis]!, attributes) };
  return { inner, columns: outer * ceilDiv(inner, 4), taps: { ...tapsSource, given } };
}

export const resampleGradient: Op<"dy", "dx", ResampleAttributes & { readonly inputShape: Shape }> = defineOp({
  name: "resampleGradient",
  inputs: ["dy"],
  outputs: ["dx"],
  attributes: typed<ResampleAttributes & { readonly inputShape: Shape }>(),
  infer: (_, { inputShape }) => ({ dx: { shape: inputShape, dtype: "f32" } }),
  lower: ({ inputs, outputs, attributes }) => {
    const { inner, columns, taps } = callOf(attributes.inputShape, attributes);
    return [
      dispatchEach(gradientKernel, columns * attributes.inputShape[attributes.axis]!, {
        bind: { ...inputs, ...outputs },
        libraries: [taps, operand("dy", inner), output("dx", inner)],
      }),
    ];
  },
});

/**
 * Another number of places along an axis. Those of both lie evenly over the same length, so that the first of y is at
 * (0.5 IN / OUT - 0.5) of x, and beyond the ends x goes on as its last number. The weights are those of jax.image.resize, which Keras
 * calls (keras/src/backend/jax/image.py).
 */
export const resample: Op<"x", "y", ResampleAttributes> = defineOp({
  name: "resample",
  inputs: ["x"],
  outputs: ["y"],
  attributes: typed<ResampleAttributes>(),
  infer: ({ x }, { axis, size }, where) => {
    const length = x.shape[axis];
    if (length === undefined || size < 1 || Math.max(length, size) > MOST) {
      const got = `${size} for axis ${axis} of ${showShape(x.shape)}`;
      throw new FeaturemapError("shape", `"${where}" wants 1 to ${MOST} places along an axis of x, got ${got}.`);
    }
    return { y: { shape: x.shape.map((each, i) => (i === axis ? size : each)), dtype: "f32" } };
  },
  gradient: ({ gradients: { y: dy }, inputs: { x }, attributes, tensor, add }) => ({
    x: add(resampleGradient, { dy: dy! }, { ...attributes, inputShape: tensor(x).shape }).dx,
  }),
  lower: ({ inputs, outputs, attributes }) => {
    const { inner, columns, taps } = callOf(inputs.x.shape, attributes);
    return [
      dispatchEach(kernel, columns * attributes.size, {
        bind: { ...inputs, ...outputs },
        libraries: [taps, operand("x", inner), output("y", inner)],
      }),
    ];
  },
});
