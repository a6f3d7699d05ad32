import source from "../../../shaders/arrange/rearrange.wgsl";
import { FeaturemapError } from "../../base/errors.ts";
import { elements, type Shape, showShape } from "../../base/shape.ts";
import type { Tensor, TensorId } from "../../graph/tensor.ts";
import type { Dispatch, Kernel } from "../../wgsl/kernel.ts";
import { dispatchEach } from "../access.ts";

const kernel: Kernel<{ x: "read"; y: "write" }> = source;

/** Most axes that the kernel counts in, once neighbours that lie alike are one. */
const MAX_AXES = 6;

/** Axis of y: its size, and where its elements lie in x. */
export interface ArrangedAxis {
  readonly size: number;
  /** Distance of its elements in x. */
  readonly stride: number;
  /** Element of x that is the first of y; below 0 or too large where y reaches beyond x. */
  readonly offset: number;
  /** Elements of x along it. */
  readonly limit: number;
}

/** Calls the kernel `rearrange`: y is made of the elements of x, and of `value` where y reaches beyond x. */
export function dispatchRearrange(
  { x, y }: { readonly x: Tensor; readonly y: Tensor },
  axes: readonly ArrangedAxis[],
  where: string,
  value = 0,
): Dispatch<TensorId>[] {
  const merged = mergedAxes(axes);
  if (merged.length > MAX_AXES) {
    const got = `${showShape(x.shape)} to ${showShape(y.shape)}`;
    throw new FeaturemapError(
      "limit",
      `"${where}" moves up to ${MAX_AXES} axes apart, got ${got}. Join some by reshape.`,
    );
  }
  const none: ArrangedAxis = { size: 1, stride: 0, offset: 0, limit: 1 };
  const all = [...new Array<ArrangedAxis>(MAX_AXES - merged.length).fill(none), ...merged];
  const constants = all.flatMap(({ size, stride, offset, limit }, i) => [
    [`SIZE_${i}`, size],
    [`STRIDE_${i}`, stride],
    [`OFFSET_${i}`, offset],
    [`LIMIT_${i}`, limit],
  ]);
  const COUNT = elements(y.shape);
  return [
    dispatchEach(kernel, COUNT, {
      bind: { x, y },
      constants: { COUNT, VALUE: value, ...Object.fromEntries(constants) },
    }),
  ];
}

/** Joins neighbours that are whole and lie one within the other, and leaves out axes of one element. */
function mergedAxes(axes: readonly ArrangedAxis[]): ArrangedAxis[] {
  const merged: ArrangedAxis[] = [];
  const isWhole = ({ size, offset, limit }: ArrangedAxis) => offset === 0 && size === limit;
  for (const axis of axes) {
    if (axis.size === 1 && isWhole(axis)) continue;
    const outer = merged.at(-1);
    if (outer && isWhole(axis) && outer.stride === axis.stride * axis.size) {
      const { size, stride } = axis;
      const joined = { size: outer.size * size, stride, offset: outer.offset * size, limit: outer.limit * size };
      merged[merged.length - 1] = joined;
    } else merged.push(axis);
  }
  return merged;
}

/** Gives the distance of a tensor's elements along each axis. */
export function stridesOf(shape: Shape): number[] {
  return shape.map((_, axis) => elements(shape.slice(axis + 1)));
}
