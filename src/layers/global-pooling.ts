import { FeaturemapError, flag, knownKeys } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface GlobalPoolingOptions extends LayerOptions {
  /** Whether the axes of positions stay, with a size of 1. Default false. */
  readonly keepdims?: boolean;
}

/** Makes a layer that makes one number of all positions of a channel, [batch, ..., channels], with so many axes of positions. */
export function globalPooling(
  where: string,
  type: string,
  positions: 1 | 2,
  kind: "mean" | "max",
  options: GlobalPoolingOptions,
): Layer {
  knownKeys(options, ["keepdims", ...LAYER_OPTIONS], where);
  const keepdims = flag(options.keepdims ?? false, `${where}: keepdims`);
  const axes = [1, 2].slice(0, positions);
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { keepdims },
    variables: ({ name, input }) => {
      if (input.length === positions + 1) return [];
      const wanted = positions === 2 ? "images [batch, height, width, channels]" : "sequences [batch, steps, channels]";
      throw new FeaturemapError("shape", `${subject(type, name)} wants ${wanted}, got ${batchShape(input)}.`);
    },
    call: ({ input: x, add }) => evaluated(add, "x", { x }, { reduction: { kind, axes, keepDims: keepdims } }),
  });
}
