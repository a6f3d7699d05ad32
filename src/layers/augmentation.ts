import { finiteNumber, oneOf, wholeNumber, wrong } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { type AffineAttributes, affineMatrix } from "../ops/image/affine-matrix.ts";
import { type FillMode, type WarpAttributes, warp } from "../ops/image/warp.ts";
import type { Expression } from "../ops/pointwise/functions.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { random } from "../ops/random/random.ts";
import { defineLayer } from "./define-layer.ts";
import { assertImageInput, type Layer, type LayerCall } from "./layer.ts";
import { type LayerOptions, layerOptions, shortList } from "./options.ts";

/** Options of every layer that changes images at random. */
export interface AugmentationOptions extends LayerOptions {
  /** Seed of the draws. Layers of different names have different draws. Default 0. */
  readonly seed?: number;
}

/** Number f, for between -f and f, or [low, high]. */
export type FactorOption = number | readonly [number, number];

/** Options of a layer that moves pixels. */
export interface WarpOptions extends AugmentationOptions {
  /**
   * What an image is beyond its edges: `"reflect"` (d c b a | a b c d | d c b a, default), `"wrap"` (a b c d | a b c d | a b c d),
   * `"constant"`, which is `fillValue`, or `"nearest"` (a a a a | a b c d | d d d d).
   */
  readonly fillMode?: FillMode;
  /** Between pixels: `"bilinear"` (default), or `"nearest"`. */
  readonly interpolation?: "nearest" | "bilinear";
  /** Default 0. */
  readonly fillValue?: number;
}

/** Range of a factor, as Keras sorts it. @throws FeaturemapError `value` where an end is beyond `least` to `most` */
export function factorOption(value: unknown, where: string, least: number, most: number): readonly [number, number] {
  const isPair = Array.isArray(value);
  const ends = isPair ? shortList<number>(value, where) : [value as number];
  const known = ends.map((end) => finiteNumber(end, where));
  if (ends.length !== (isPair ? 2 : 1)) throw wrong(where, "be a number or a pair of them", value);
  const beyond = known.find((end) => end < least || end > most);
  if (beyond !== undefined) throw wrong(where, `be from ${least} to ${most}`, value);
  if (isPair) return [Math.min(...known), Math.max(...known)];
  const size = Math.abs(known[0]!);
  return [Math.max(-size, least), size];
}

/** Checked options of a layer that moves pixels, as its config has them. */
export function warpOptions(options: WarpOptions, where: string) {
  const fills = ["reflect", "wrap", "constant", "nearest"] as const;
  return {
    fillMode: oneOf(options.fillMode ?? "reflect", fills, `${where}: fillMode`),
    interpolation: oneOf(options.interpolation ?? "bilinear", ["nearest", "bilinear"], `${where}: interpolation`),
    fillValue: finiteNumber(options.fillValue ?? 0, `${where}: fillValue`),
  };
}

export const WARP_OPTIONS = [
  "fillMode",
  "interpolation",
  "fillValue",
] as const satisfies readonly (keyof WarpOptions)[];

interface Augmentation {
  readonly where: string;
  readonly type: string;
  /** Options that make it again, without the seed. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Columns of draws, uniform in [0, 1), that a sample has. */
  readonly draws: number;
  /** Whether all samples of a batch share their draws. Default false. */
  readonly shared?: boolean;
  /** Adds the change of images by the draws, in training. */
  change(call: LayerCall, draws: TensorId): TensorId;
  /** Adds what is done otherwise. Default: nothing. */
  otherwise?(call: LayerCall): TensorId;
}

/** Makes a layer that changes images at random in training only. */
export function augmentationLayer(options: AugmentationOptions, augmentation: Augmentation): Layer {
  const { where, type, config, draws, shared = false, change, otherwise } = augmentation;
  const seed = wholeNumber(options.seed ?? 0, `${where}: seed`);
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { ...config, seed },
    variables: (built) => {
      assertImageInput(type, built);
      return [];
    },
    call: (call) => {
      const { input, trainingState: state, add, shapeOf } = call;
      if (state === undefined) return otherwise?.(call) ?? input;
      const shape = [shared ? 1 : shapeOf(input)[0]!, draws];
      return change(call, add(random, { state }, { shape, distribution: "uniform", seed }).y);
    },
  });
}

/** Adds a warp by matrices that are made of draws. The sizes are those of the input, unless others are given. */
export function warped(
  { input, add, shapeOf }: LayerCall,
  draws: TensorId,
  affine: Omit<AffineAttributes, "height" | "width">,
  attributes: Pick<WarpAttributes, "interpolation" | "fillMode" | "fillValue"> & Partial<WarpAttributes>,
): TensorId {
  const [, height, width] = shapeOf(input) as readonly [number, number, number, number];
  const { m } = add(affineMatrix, { draws }, { height, width, ...affine });
  return add(warp, { x: input, m }, { height, width, ...attributes }).y;
}

/** Adds an expression of the images `x` and a draw `u` of each sample, held within a range. */
export function recoloured(
  { input, add, shapeOf }: LayerCall,
  draws: TensorId,
  [low, high]: readonly [number, number],
  expression: Expression,
  tensors: Readonly<Record<string, TensorId>> = {},
): TensorId {
  const shape: Shape = [shapeOf(input)[0]!, 1, 1, 1];
  const u = add(reshape, { x: draws }, { shape }).y;
  const held: Expression = ["minimum", ["maximum", expression, low], high];
  return evaluated(add, held, { x: input, u, ...tensors });
}

/** Range of the values of images. @throws FeaturemapError `value` unless it is two numbers */
export function valueRangeOption(value: unknown, where: string): readonly [number, number] {
  const range = shortList((value ?? [0, 255]) as number[], where).map((end) => finiteNumber(end, where));
  if (range.length !== 2 || range[0]! >= range[1]!) throw wrong(where, "be [lowest, highest]", value);
  return [range[0]!, range[1]!];
}
