import { knownKeys } from "../base/errors.ts";
import { pad } from "../ops/arrange/pad.ts";
import { defineLayer } from "./define-layer.ts";
import { type EdgesOption, edgesOption } from "./edges.ts";
import { assertImageInput, type Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface ZeroPadding2dOptions extends LayerOptions {
  /** Rows and columns: one number for all edges, [height, width], or [[top, bottom], [left, right]]. Default 1. */
  readonly padding?: EdgesOption;
}

/**
 * Rows and columns of zeros around images: Keras's `ZeroPadding2D`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or wrong; `shape`, when it is called or built, for no images
 * @example
 * zeroPadding2d({ padding: [[0, 1], [0, 1]] });
 */
export function zeroPadding2d(options: ZeroPadding2dOptions = {}): Layer {
  const where = "zeroPadding2d";
  knownKeys(options, ["padding", ...LAYER_OPTIONS], where);
  const padding = edgesOption(options.padding ?? 1, `${where}: padding`);
  const [[top, bottom], [left, right]] = padding;
  return defineLayer({
    type: "ZeroPadding2D",
    ...layerOptions(options, where),
    config: { padding },
    variables: (built) => {
      assertImageInput("ZeroPadding2D", built);
      return [];
    },
    call: ({ input: x, add }) => add(pad, { x }, { before: [0, top, left, 0], after: [0, bottom, right, 0] }).y,
  });
}
