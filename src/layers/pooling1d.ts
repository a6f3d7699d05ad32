import { knownKeys } from "../base/errors.ts";
import type { Op } from "../graph/op.ts";
import type { WindowAttributes } from "../ops/window.ts";
import { defineLayer } from "./define-layer.ts";
import type { Layer } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions, paddingOption } from "./options.ts";
import { asImage, asSequence, assertSequenceInput, length1d } from "./sequence.ts";

export interface Pooling1dOptions extends LayerOptions {
  /** Steps of a window. Default 2. */
  readonly poolSize?: number;
  /** Steps from window to window. Default: the pool size, so that windows lie side by side. */
  readonly strides?: number;
  /** Padding. `valid` (default): whole windows only. `same`: ceil(steps / stride) windows; padding never wins and is not counted. */
  readonly padding?: "valid" | "same";
}

/** Makes the layer of a pooling op over sequences, which are images of one row to it. */
export function pooling1d(
  op: Op<"x", "y" | "argmax", WindowAttributes>,
  where: string,
  type: string,
  options: Pooling1dOptions,
): Layer {
  knownKeys(options, ["poolSize", "strides", "padding", ...LAYER_OPTIONS], where);
  const poolSize = length1d(options.poolSize ?? 2, `${where}: poolSize`);
  const strides = length1d(options.strides ?? poolSize, `${where}: strides`);
  const padding = paddingOption(options.padding ?? "valid", `${where}: padding`);
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { poolSize, strides, padding },
    variables: (built) => {
      assertSequenceInput(type, built);
      return [];
    },
    call: (call) => {
      const window = { size: [1, poolSize], strides: [1, strides], padding } as const;
      return asSequence(call, call.add(op, { x: asImage(call, call.input) }, window).y);
    },
  });
}
