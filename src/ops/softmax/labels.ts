import { FeaturemapError } from "../../base/errors.ts";
import { showShape } from "../../base/shape.ts";
import type { Tensor, TensorSpec } from "../../graph/tensor.ts";

/**
 * Shape rule of a number for each row of x [batch, classes] and its labels: weights [batch, classes], or class numbers [batch, 1].
 *
 * @throws FeaturemapError `shape` where they do not fit
 */
export function inferRows(
  { x, labels }: { readonly x: TensorSpec; readonly labels: TensorSpec },
  where: string,
): TensorSpec {
  const [batch, classes] = x.shape;
  const wanted = labels.dtype === "u32" ? [batch!, 1] : [batch!, classes!];
  if (x.shape.length !== 2 || showShape(labels.shape) !== showShape(wanted)) {
    const got = `${showShape(x.shape)} and ${showShape(labels.shape)}`;
    const wants = `wants x of [batch, classes] and labels ${showShape(wanted)}, got ${got}`;
    throw new FeaturemapError("shape", `"${where}" ${wants}.`);
  }
  return { shape: [batch!], dtype: "f32" };
}

/** Gives the bindings and constants of `shaders/softmax/lib/cross_entropy.wgsl` for x and its labels. */
export function labelBindings(x: Tensor, labels: Tensor) {
  const [batch, classes] = x.shape as [number, number];
  const sparse = labels.dtype === "u32";
  return {
    bind: { t: sparse ? undefined : labels, class_of: sparse ? labels : undefined },
    constants: { BATCH: batch, CLASSES: classes, SPARSE: sparse },
  };
}

/** Further outputs of a cross-entropy's kernel, which rewrites ask for. */
export interface CrossEntropyExtras {
  /** Whether it makes the hits, in place of `accuracy`. */
  readonly hasHits?: boolean;
  /** Weight of the mean over the rows in use, if the kernel makes the gradient of x by it. */
  readonly weight?: number;
}
