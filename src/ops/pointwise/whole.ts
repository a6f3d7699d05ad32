import { listOf, oneOf, wrong } from "../../base/errors.ts";
import type { Shape } from "../../base/shape.ts";
import type { Epilogue } from "../product/epilogue.ts";
import { broadcastShape } from "./broadcast.ts";
import type { Expression } from "./functions.ts";

const REDUCTIONS = ["sum", "mean", "max", "min"] as const;

/** How the elements along some axes become one. */
export interface Reduction {
  readonly kind: (typeof REDUCTIONS)[number];
  /** Axes of the whole, from 0. */
  readonly axes: readonly number[];
  /** Whether these axes stay, with a size of 1. */
  readonly keepDims: boolean;
}

export interface PointwiseAttributes extends Pick<Epilogue, "activation"> {
  /** Expression of an element. It reads each input, by its letter. */
  readonly expression: Expression;
  /** Default: none. */
  readonly reduction?: Reduction | undefined;
  /** Shape to which all inputs are broadcast. Default: the one that they have together. */
  readonly shape?: Shape | undefined;
}

/** Gives the shape that an expression runs over. */
export function wholeShape(inputs: readonly Shape[], shape: Shape | undefined, where: string): Shape {
  return broadcastShape(shape ? [...inputs, shape] : inputs, where);
}

/** @throws FeaturemapError `value` for a kind or axes that are none */
export function assertReduction({ kind, axes }: Reduction, whole: Shape, where: string): void {
  oneOf(kind, REDUCTIONS, `"${where}": reduction`);
  const known = listOf(axes, `"${where}": axes`).every(
    (axis) => Number.isInteger(axis) && axis >= 0 && axis < whole.length,
  );
  if (!known || new Set(axes).size !== axes.length)
    throw wrong(`"${where}": axes`, `be axes from 0 to ${whole.length - 1}, each once`, axes);
}

/** Gives the shape after a reduction. What loses all its axes keeps one, of size 1. */
export function reducedShape(whole: Shape, reduction: Reduction | undefined): Shape {
  if (!reduction) return whole;
  const { axes, keepDims } = reduction;
  const kept = whole.flatMap((size, axis) => (axes.includes(axis) ? (keepDims ? [1] : []) : [size]));
  return kept.length > 0 ? kept : [1];
}
