import { FeaturemapError, knownKeys } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { pad } from "../ops/arrange/pad.ts";
import { defineLayer } from "./define-layer.ts";
import { type EdgesOption, edgesOption } from "./edges.ts";
import { assertImageInput, type Layer, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface Cropping2dOptions extends LayerOptions {
  /** Rows and columns: one number for all edges, [height, width], or [[top, bottom], [left, right]]. Default 0. */
  readonly cropping?: EdgesOption;
}

/**
 * Images without some rows and columns at their edges: Keras's `Cropping2D`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape`, when it is called or built, for no images, or where
 *   nothing is left
 * @example
 * cropping2d({ cropping: 2 });
 */
export function cropping2d(options: Cropping2dOptions = {}): Layer {
  const where = "cropping2d";
  knownKeys(options, ["cropping", ...LAYER_OPTIONS], where);
  const cropping = edgesOption(options.cropping ?? 0, `${where}: cropping`);
  const [[top, bottom], [left, right]] = cropping;
  const type = "Cropping2D";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { cropping },
    variables: (built) => {
      assertImageInput(type, built);
      const [height, width] = built.input as readonly [number, number];
      if (top + bottom < height && left + right < width) return [];
      const cut = `${top + bottom} rows and ${left + right} columns`;
      throw new FeaturemapError(
        "shape",
        `${subject(type, built.name)} cuts ${cut} off ${batchShape(built.input)}: nothing is left.`,
      );
    },
    call: ({ input: x, add }) => add(pad, { x }, { before: [0, -top, -left, 0], after: [0, -bottom, -right, 0] }).y,
  });
}
