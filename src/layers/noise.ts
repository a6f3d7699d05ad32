import { FeaturemapError, finiteNumber, knownKeys, wholeNumber } from "../base/errors.ts";
import { batchShape, type Shape } from "../base/shape.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { random } from "../ops/random/random.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, type LayerInput, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

interface Noise {
  readonly where: string;
  readonly type: string;
  /** Name of the option that says how much noise there is, and its value. */
  readonly amount: readonly [name: string, value: number];
  readonly distribution: "uniform" | "normal";
  /** Output of the input `x` and the draws `noise`. */
  readonly expression: Expression;
  /** Shape of the draws. Default: the input's. */
  drawn?(x: Shape): Shape;
  /** Refuses an input. */
  check?(built: LayerInput): void;
}

/** Options of a layer that changes its input at random. */
export interface SeededOptions extends LayerOptions {
  /** Seed of the draws. Layers of different names have different draws. Default 0. */
  readonly seed?: number;
}

/** Makes a layer that changes its input at random in training, and passes it on otherwise, or where `amount` is 0. */
export function noiseLayer(options: SeededOptions, noise: Noise): Layer {
  const { where, type, distribution, expression, drawn = (x) => x } = noise;
  const [name, amount] = noise.amount;
  knownKeys(options as Record<string, unknown>, [name, "seed", ...LAYER_OPTIONS], where);
  const seed = wholeNumber(options.seed ?? 0, `${where}: seed`);
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { [name]: amount, seed },
    variables: (built) => {
      noise.check?.(built);
      return [];
    },
    call: ({ input: x, trainingState: state, add, shapeOf }) => {
      if (state === undefined || amount === 0) return x;
      const { y } = add(random, { state }, { shape: drawn(shapeOf(x)), distribution, seed });
      return evaluated(add, expression, { x, noise: y });
    },
  });
}

/** Options of a dropout. */
export interface SpatialDropoutOptions extends SeededOptions {
  /** Share of the channels that become 0, at least 0 and below 1. */
  readonly rate: number;
}

/** Makes a dropout of whole channels of a sample. */
export function spatialDropoutLayer(
  options: SpatialDropoutOptions,
  { where, type, axes }: { readonly where: string; readonly type: string; readonly axes: readonly string[] },
): Layer {
  const rate = finiteNumber(Object(options).rate, `${where}: rate`, 0, 1);
  return noiseLayer(options, {
    where,
    type,
    amount: ["rate", rate],
    distribution: "uniform",
    expression: ["where", ["less", "noise", rate], 0, ["multiply", "x", 1 / (1 - rate)]],
    drawn: (x) => x.map((size, axis) => (axis === 0 || axis === x.length - 1 ? size : 1)),
    check: ({ name, input, from }) => {
      if (input.length === axes.length - 1) return;
      const wants = `wants [${axes.join(", ")}]`;
      throw new FeaturemapError("shape", `${subject(type, name)} ${wants}, got ${batchShape(input)} from "${from}".`);
    },
  });
}
