import { knownKeys, optionalText } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { Op } from "../graph/op.ts";
import { type Layer, wantImages } from "./layer.ts";
import { inputShapeOption, type PairOption, paddingOption, pair } from "./options.ts";

export interface Pooling2dOptions {
  /** Default 2. */
  readonly poolSize?: PairOption;
  /** Default: the pool size, so that windows lie side by side. */
  readonly strides?: PairOption;
  /** `valid` (default): whole windows only. `same`: ceil(size / stride) windows; padding never wins and is not counted. */
  readonly padding?: "valid" | "same";
  readonly inputShape?: Shape;
  readonly name?: string;
}

/** The layer of a pooling op, which is among `ops`. */
export function pooling2d(op: string, type: string, ops: readonly Op[], options: Pooling2dOptions): Layer {
  knownKeys(options, ["poolSize", "strides", "padding", "inputShape", "name"], op);
  const size = pair(options.poolSize ?? 2, `${op}: poolSize`);
  const strides = pair(options.strides ?? options.poolSize ?? 2, `${op}: strides`);
  const padding = paddingOption(options.padding ?? "valid", `${op}: padding`);
  return {
    type,
    ops,
    name: optionalText(options.name, `${op}: name`),
    inputShape: inputShapeOption(options.inputShape, `${op}: inputShape`),
    config: { poolSize: size, strides, padding },
    parameters: (place) => {
      wantImages(type, place);
      return [];
    },
    call: ({ input, add }) => add(op, [input], { size, strides, padding })[0]!,
  };
}
