import { FeaturemapError, knownKeys, wrong } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { transpose } from "../ops/arrange/transpose.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions, shortList } from "./options.ts";

export interface PermuteOptions extends LayerOptions {
  /** Axis of the input for each axis of the output, counted from 1: the batch's is not among them. */
  readonly dims: readonly number[];
}

/**
 * Axes of each sample in another order: Keras's `Permute`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or wrong; `shape`, when it is called or built, for an input of
 *   more or fewer axes
 * @example
 * permute({ dims: [2, 1, 3] }); // [batch, height, width, channels] becomes [batch, width, height, channels]
 */
export function permute(options: PermuteOptions): Layer {
  const where = "permute";
  knownKeys(options, ["dims", ...LAYER_OPTIONS], where);
  const dims = shortList(options.dims, `${where}: dims`);
  if (dims.length === 0 || !dims.every((_, i) => dims.includes(i + 1)))
    throw wrong(`${where}: dims`, "be 1, 2 and so on in some order", options.dims);
  const type = "Permute";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { dims },
    variables: ({ name, input }) => {
      if (input.length === dims.length) return [];
      const message = `has ${dims.length} dims, but its input ${batchShape(input)} has ${input.length} axes beside the batch's`;
      throw new FeaturemapError("shape", `${subject(type, name)} ${message}.`);
    },
    call: ({ input, add }) => add(transpose, { x: input }, { axes: [0, ...dims] }).y,
  });
}
