import { finiteNumber, knownKeys } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { AFFINE_OPTIONS, type AffineOptions, affineOptions } from "./affine.ts";
import { axesOption, sampleAxes, sortedAxes } from "./axes.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, subject } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import { normalized } from "./normalized.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface LayerNormalizationOptions extends LayerOptions, AffineOptions {
  /** Axis or axes that are normalized, counted with the batch's, which is 0, or from the end. Default -1. */
  readonly axis?: number | readonly number[];
  /** What is added to the variance, so that nothing is divided by 0. Default 0.001. */
  readonly epsilon?: number;
}

/**
 * Layer normalization, Keras's `LayerNormalization` (Ba et al. 2016): y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with mean and
 * biased variance of each sample along the axes. `gamma` and `beta` have the sizes of these axes. Training and inference are alike.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range, or an axis that the input does not have
 * @example
 * sequential([dense({ units: 64, inputShape: [16] }), layerNormalization(), activation({ activation: "relu" })]);
 */
export function layerNormalization(options: LayerNormalizationOptions = {}): Layer {
  const where = "layerNormalization";
  knownKeys(options, ["axis", "epsilon", ...AFFINE_OPTIONS, ...LAYER_OPTIONS], where);
  const axis = axesOption(options.axis ?? -1, `${where}: axis`);
  const epsilon = finiteNumber(options.epsilon ?? 1e-3, `${where}: epsilon`, 0);
  const affine = affineOptions(options, where);
  const type = "LayerNormalization";
  return defineLayer(
    withParts(
      {
        type,
        ...layerOptions(options, where),
        config: { axis, epsilon, ...affine.config },
        variables: ({ name, input }) => {
          const axes = sampleAxes(axis, input.length + 1, `${subject(type, name)}: axis`);
          const shape = axes.map((each) => input[each - 1]!);
          return affine.variables(shape);
        },
        call: ({ input: x, variables, add, shapeOf }) => {
          const whole = shapeOf(x);
          const axes = sortedAxes(axis, whole.length);
          const shape: Shape = whole.map((size, each) => (axes.includes(each) ? size : 1));
          const spread = (id: number | undefined) =>
            id && (axes[0] === whole.length - 1 ? id : add(reshape, { x: id }, { shape }).y);
          const own = { gamma: spread(variables.gamma), beta: spread(variables.beta) };
          return normalized(add, x, axes, epsilon, own);
        },
      },
      options,
      where,
    ),
  );
}
