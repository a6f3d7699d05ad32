import { knownKeys } from "../base/errors.ts";
import type { Op } from "../graph/op.ts";
import type { WindowAttributes } from "../ops/window.ts";
import { defineLayer } from "./define-layer.ts";
import { assertImageInput, type Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions, type PairOption, paddingOption, pair } from "./options.ts";

export interface Pooling2dOptions extends LayerOptions {
  /** Size of the window. Default 2. */
  readonly poolSize?: PairOption;
  /** Steps of the window. Default: the pool size, so that windows lie side by side. */
  readonly strides?: PairOption;
  /** Padding. `valid` (default): whole windows only. `same`: ceil(size / stride) windows; padding never wins and is not counted. */
  readonly padding?: "valid" | "same";
}

/** Makes the layer of a pooling op. */
export function pooling2d(
  op: Op<"x", "y" | "argmax", WindowAttributes>,
  type: string,
  options: Pooling2dOptions,
): Layer {
  const where = op.name;
  knownKeys(options, ["poolSize", "strides", "padding", ...LAYER_OPTIONS], where);
  const size = pair(options.poolSize ?? 2, `${where}: poolSize`);
  const strides = pair(options.strides ?? options.poolSize ?? 2, `${where}: strides`);
  const padding = paddingOption(options.padding ?? "valid", `${where}: padding`);
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { poolSize: size, strides, padding },
    variables: (built) => {
      assertImageInput(type, built);
      return [];
    },
    call: ({ input, add }) => add(op, { x: input }, { size, strides, padding }).y,
  });
}
