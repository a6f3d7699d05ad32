import { FeaturemapError } from "../errors.ts";
import type { Source } from "../gpu/specialize.ts";
import type { TensorSpec } from "../graph/graph.ts";
import { ceilDiv, elements, type Shape, sameShape, showShape } from "../shape.ts";
import { operand, output, perElement } from "./access.ts";

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

/** What a dispatch takes that changes tensors of one shape, by their letters, along a gradient `g`. */
export function perUpdate(shape: Shape, changed: readonly string[]) {
  const size = elements(shape);
  const { workgroups, constants, library } = perElement(ceilDiv(size, 4));
  const libraries: Source[] = [library, operand("g", size), ...changed.map((letter) => output(letter, size))];
  return { workgroups, constants: { ...constants, SIZE: size }, libraries };
}
