import { FeaturemapError } from "../../base/errors.ts";
import { ceilDiv, elements, type Shape, sameShape, showShape } from "../../base/shape.ts";
import type { TensorId, TensorSpec } from "../../graph/graph.ts";
import type { Bindings, Dispatch, Kernel, KernelCall } from "../../wgsl/kernel.ts";
import { dispatchEach, operand, output } from "../access.ts";

/** Shape rule of an op that steps a parameter p by its gradient g, its first inputs: it makes nothing. */
export function inferUpdate([p, g]: readonly TensorSpec[], _: unknown, where: string): [] {
  if (!sameShape(p!.shape, g!.shape)) {
    throw new FeaturemapError(
      "shape",
      `"${where}" steps ${showShape(p!.shape)} by a gradient of ${showShape(g!.shape)}.`,
    );
  }
  return [];
}

/** A call of a kernel that changes tensors of one shape, by their letters, along a gradient `g`. */
export function dispatchUpdate<B extends Bindings>(
  kernel: Kernel<B>,
  shape: Shape,
  changed: readonly string[],
  { bind, constants, libraries = [] }: Omit<KernelCall<B, TensorId>, "workgroups">,
): Dispatch<TensorId> {
  const SIZE = elements(shape);
  return dispatchEach(kernel, ceilDiv(SIZE, 4), {
    bind,
    constants: { ...constants, SIZE },
    libraries: [operand("g", SIZE), ...changed.map((letter) => output(letter, SIZE)), ...libraries],
  });
}
