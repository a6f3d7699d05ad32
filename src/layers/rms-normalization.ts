import { finiteNumber, knownKeys } from "../base/errors.ts";
import { reshape } from "../ops/elementwise/reshape.ts";
import { evaluated } from "../ops/pointwise/pointwise.ts";
import { axesOption, sampleAxes, sortedAxes } from "./axes.ts";
import { defineLayer } from "./define-layer.ts";
import { type Layer, subject } from "./layer.ts";
import { LAYER_OPTIONS, type LayerOptions, layerOptions } from "./options.ts";

export interface RmsNormalizationOptions extends LayerOptions {
  /** Axis or axes that are normalized, counted with the batch's, which is 0, or from the end. Default -1. */
  readonly axis?: number | readonly number[];
  /** What is added to the mean of squares, so that nothing is divided by 0. Default 0.000001. */
  readonly epsilon?: number;
}

/**
 * Root mean square normalization, Keras's `RMSNormalization` (Zhang and Sennrich 2019,
 * `keras/src/layers/normalization/rms_normalization.py`): y = scale x / sqrt(mean(x^2) + epsilon), with the mean along the axes of each
 * sample. `scale` has the sizes of these axes. Training and inference are alike.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range, or an axis that the input does not have
 * @example
 * sequential([dense({ units: 64, inputShape: [16] }), rmsNormalization()]);
 */
export function rmsNormalization(options: RmsNormalizationOptions = {}): Layer {
  const where = "rmsNormalization";
  knownKeys(options, ["axis", "epsilon", ...LAYER_OPTIONS], where);
  const axis = axesOption(options.axis ?? -1, `${where}: axis`);
  const epsilon = finiteNumber(options.epsilon ?? 1e-6, `${where}: epsilon`, 0);
  const type = "RMSNormalization";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: { axis, epsilon },
    variables: ({ name, input }) => {
      const axes = sampleAxes(axis, input.length + 1, `${subject(type, name)}: axis`);
      return [{ name: "scale", shape: axes.map((each) => input[each - 1]!), initializer: "ones" }];
    },
    call: ({ input: x, variables, add, shapeOf }) => {
      const whole = shapeOf(x);
      const axes = sortedAxes(axis, whole.length);
      const shape = whole.map((size, each) => (axes.includes(each) ? size : 1));
      const scale = add(reshape, { x: variables.scale! }, { shape }).y;
      const mean = evaluated(add, ["square", "x"], { x }, { reduction: { kind: "mean", axes, keepDims: true } });
      const length = ["sqrt", ["add", "mean", epsilon]] as const;
      return evaluated(add, ["multiply", ["divide", "x", length], "scale"], { x, mean, scale });
    },
  });
}
