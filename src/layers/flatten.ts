import { knownKeys } from "../base/errors.ts";
import { elements } from "../base/shape.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { defineLayer } from "./define-layer.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

/** Flattens each sample to one row of numbers, [batch, features], in row-major order: Keras's `Flatten`. It costs nothing. */
export function flatten(options: LayerOptions = {}): Layer {
  knownKeys(options, LAYER_OPTIONS, "flatten");
  return defineLayer({
    type: "Flatten",
    ...layerOptions(options, "flatten"),
    config: {},
    call: ({ input, add, shapeOf }) => {
      const [batch, ...sample] = shapeOf(input);
      return add(reshape, { x: input }, { shape: [batch!, elements(sample)] }).y;
    },
  });
}
