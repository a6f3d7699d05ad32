import { flag, knownKeys, positiveInteger } from "../base/errors.ts";
import { depthwiseConv2d as depthwiseConv2dOp } from "../ops/depthwise-conv2d/depthwise-conv2d.ts";
import type { Constraint } from "./define-constraint.ts";
import { defineLayer } from "./define-layer.ts";
import type { Regularizer } from "./define-regularizer.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import { assertImageInput, type Layer } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import {
  activated,
  activationOption,
  LAYER_OPTIONS,
  type LayerActivation,
  type LayerOptions,
  layerOptions,
  type PairOption,
  paddingOption,
  pair,
  stepOptions,
} from "./options.ts";

export interface DepthwiseConv2dOptions extends LayerOptions {
  readonly kernelSize: PairOption;
  /** Steps of the window: one number for both axes, or [height, width]. Default 1. */
  readonly strides?: PairOption;
  /** Padding. `valid` (default): whole windows only. `same`: ceil(size / stride) windows, with zeros around the image. */
  readonly padding?: "valid" | "same";
  /** Rows and columns from tap to tap of the kernel: one number for both axes, or [height, width]. Default 1. With strides above 1 it is 1. */
  readonly dilationRate?: PairOption;
  /** Output channels for each input channel. Default 1. */
  readonly depthMultiplier?: number;
  /** Default `linear`. */
  readonly activation?: LayerActivation;
  /** Whether there is a bias. Default true. */
  readonly useBias?: boolean;
  /** First values of the kernel. Default `glorotUniform`. */
  readonly depthwiseInitializer?: Initializer;
  /** First values of the bias. Default `zeros`. */
  readonly biasInitializer?: Initializer;
  /** What the kernel adds to the loss, such as `l2()`. Default: nothing. */
  readonly depthwiseRegularizer?: Regularizer;
  /** What the bias adds to the loss, such as `l2()`. Default: nothing. */
  readonly biasRegularizer?: Regularizer;
  /** What the outputs add to the loss, such as `l2()`: the mean over the samples. Default: nothing. */
  readonly activityRegularizer?: Regularizer;
  /** What the kernel becomes after each step, such as `maxNorm()`. Default: what it is. */
  readonly depthwiseConstraint?: Constraint;
  /** What the bias becomes after each step, such as `maxNorm()`. Default: what it is. */
  readonly biasConstraint?: Constraint;
}

/**
 * Convolution of each channel by kernels of its own, over images [batch, height, width, channels] with a kernel
 * [kH, kW, channels, depthMultiplier]: Keras's `DepthwiseConv2D` with `channels_last`. The output has
 * channels * depthMultiplier channels, those of the first input channel first.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range, and for strides and dilationRate that
 *   are both above 1; `shape`, when it is called or built,
 *   for an input that is not images or smaller than the kernel
 * @example
 * // A separable convolution: each channel alone, then all channels at each pixel.
 * const layers = [depthwiseConv2d({ kernelSize: 3, padding: "same" }), conv2d({ filters: 16, kernelSize: 1 })];
 */
export function depthwiseConv2d(options: DepthwiseConv2dOptions): Layer {
  const where = "depthwiseConv2d";
  knownKeys(
    options,
    [
      "kernelSize",
      "strides",
      "padding",
      "dilationRate",
      "depthMultiplier",
      "activation",
      "useBias",
      "depthwiseInitializer",
      "biasInitializer",
      "depthwiseRegularizer",
      "biasRegularizer",
      "activityRegularizer",
      "depthwiseConstraint",
      "biasConstraint",
      ...LAYER_OPTIONS,
    ],
    where,
  );
  const option = (name: keyof DepthwiseConv2dOptions) => `${where}: ${name}`;
  const kernelSize = pair(options.kernelSize, option("kernelSize"));
  const { strides, dilationRate, attributes } = stepOptions(options, where);
  const padding = paddingOption(options.padding ?? "valid", option("padding"));
  const depthMultiplier = positiveInteger(options.depthMultiplier ?? 1, option("depthMultiplier"), 31);
  const activation = activationOption(options.activation ?? "linear", option("activation"));
  const useBias = flag(options.useBias ?? true, option("useBias"));
  const depthwiseInitializer = initializerOption(
    options.depthwiseInitializer ?? "glorotUniform",
    option("depthwiseInitializer"),
  );
  const biasInitializer = initializerOption(options.biasInitializer ?? "zeros", option("biasInitializer"));
  const type = "DepthwiseConv2D";
  return defineLayer(
    withParts(
      {
        type,
        ...layerOptions(options, where),
        config: {
          kernelSize,
          strides,
          padding,
          dilationRate,
          depthMultiplier,
          activation,
          useBias,
          depthwiseInitializer,
          biasInitializer,
        },
        variables: (built) => {
          assertImageInput(type, built);
          const channels = built.input[2]!;
          const kernel = {
            name: "kernel",
            shape: [...kernelSize, channels, depthMultiplier],
            initializer: depthwiseInitializer,
          };
          const bias = { name: "bias", shape: [channels * depthMultiplier], initializer: biasInitializer };
          return useBias ? [kernel, bias] : [kernel];
        },
        call: (call) => {
          const { kernel, bias } = call.variables;
          const { y } = call.add(
            depthwiseConv2dOp,
            { x: call.input, kernel: kernel!, bias },
            { ...attributes, padding },
          );
          return activated(call, y, activation);
        },
      },
      options,
      where,
    ),
  );
}
