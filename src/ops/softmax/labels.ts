import { FeaturemapError } from "../../base/errors.ts";
import { elements, type Shape, showShape } from "../../base/shape.ts";
import type { Tensor, TensorSpec } from "../../graph/tensor.ts";

/**
 * Shape rule of a number for each row of x [batch, ..., classes] and its labels: weights of x's shape, or class numbers, [batch, 1] or
 * [batch, ...].
 *
 * @throws FeaturemapError `shape` where they do not fit
 */
export function inferRows(
  { x, labels }: { readonly x: TensorSpec; readonly labels: TensorSpec },
  where: string,
): TensorSpec {
  const shape = x.shape.slice(0, -1);
  const wanted = labels.dtype === "f32" ? x.shape : shape.length === 1 ? [shape[0]!, 1] : shape;
  if (shape.length === 0 || showShape(labels.shape) !== showShape(wanted)) {
    const got = `${showShape(x.shape)} and ${showShape(labels.shape)}`;
    const wants = `wants x of [batch, ..., classes] and labels ${showShape(wanted)}, got ${got}`;
    throw new FeaturemapError("shape", `"${where}" ${wants}.`);
  }
  return { shape, dtype: "f32" };
}

/** Gives the bindings and constants of `shaders/softmax/lib/cross_entropy.wgsl` for x and its labels, and the number of its rows. */
export function labelBindings({ shape }: { readonly shape: Shape }, labels: Tensor) {
  const classes = shape.at(-1)!;
  const rows = elements(shape) / classes;
  const sparse = labels.dtype === "u32";
  return {
    rows,
    bind: { t: sparse ? undefined : labels, class_of: sparse ? labels : undefined },
    constants: { ROWS: rows, POSITIONS: rows / shape[0]!, CLASSES: classes, SPARSE: sparse },
  };
}

/** Further outputs of a cross-entropy's kernel, which rewrites ask for. */
export interface CrossEntropyExtras {
  /** Whether it makes the hits, in place of `accuracy`. */
  readonly hasHits?: boolean;
  /** Weight of the mean over the rows in use, if the kernel makes the gradient of x by it. */
  readonly weight?: number;
}
