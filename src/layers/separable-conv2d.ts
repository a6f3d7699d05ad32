import { flag, knownKeys, positiveInteger } from "../base/errors.ts";
import { conv2d as conv2dOp } from "../ops/conv2d/conv2d.ts";
import { depthwiseConv2d as depthwiseConv2dOp } from "../ops/depthwise-conv2d/depthwise-conv2d.ts";
import { defineLayer } from "./define-layer.ts";
import type { DepthwiseConv2dOptions } from "./depthwise-conv2d.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import { assertImageInput, type Layer } from "./layer.ts";
import {
  activated,
  activationOption,
  LAYER_OPTIONS,
  layerOptions,
  paddingOption,
  pair,
  stepOptions,
} from "./options.ts";

export interface SeparableConv2dOptions extends DepthwiseConv2dOptions {
  /** Number of output channels. */
  readonly filters: number;
  /** First values of the kernel that mixes the channels. Default `glorotUniform`. */
  readonly pointwiseInitializer?: Initializer;
}

/**
 * Convolution of each channel alone, then of all channels at each pixel, over images [batch, height, width, channels]: Keras's
 * `SeparableConv2D` with `channels_last` (keras/src/layers/convolutional/base_separable_conv.py). Its weights are `depthwise_kernel`
 * [kH, kW, channels, depthMultiplier], `pointwise_kernel` [1, 1, channels * depthMultiplier, filters] and `bias` [filters].
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range, and for strides and dilationRate that are both
 *   above 1; `shape`, when it is called or built, for an input that is not images or smaller than the kernel
 * @example
 * const block = separableConv2d({ filters: 16, kernelSize: 3, padding: "same", activation: "relu" });
 */
export function separableConv2d(options: SeparableConv2dOptions): Layer {
  const where = "separableConv2d";
  knownKeys(
    options,
    [
      "filters",
      "kernelSize",
      "strides",
      "padding",
      "dilationRate",
      "depthMultiplier",
      "activation",
      "useBias",
      "depthwiseInitializer",
      "pointwiseInitializer",
      "biasInitializer",
      ...LAYER_OPTIONS,
    ],
    where,
  );
  const option = (name: keyof SeparableConv2dOptions) => `${where}: ${name}`;
  const initializerOf = (name: "depthwiseInitializer" | "pointwiseInitializer" | "biasInitializer") =>
    initializerOption(options[name] ?? (name === "biasInitializer" ? "zeros" : "glorotUniform"), option(name));
  const filters = positiveInteger(options.filters, option("filters"));
  const kernelSize = pair(options.kernelSize, option("kernelSize"));
  const { strides, dilationRate, attributes } = stepOptions(options, where);
  const padding = paddingOption(options.padding ?? "valid", option("padding"));
  const depthMultiplier = positiveInteger(options.depthMultiplier ?? 1, option("depthMultiplier"), 31);
  const activation = activationOption(options.activation ?? "linear", option("activation"));
  const useBias = flag(options.useBias ?? true, option("useBias"));
  const depthwiseInitializer = initializerOf("depthwiseInitializer");
  const pointwiseInitializer = initializerOf("pointwiseInitializer");
  const biasInitializer = initializerOf("biasInitializer");
  const type = "SeparableConv2D";
  return defineLayer({
    type,
    ...layerOptions(options, where),
    config: {
      filters,
      kernelSize,
      strides,
      padding,
      dilationRate,
      depthMultiplier,
      activation,
      useBias,
      depthwiseInitializer,
      pointwiseInitializer,
      biasInitializer,
    },
    variables: (built) => {
      assertImageInput(type, built);
      const channels = built.input[2]!;
      const depthwise = [...kernelSize, channels, depthMultiplier];
      const pointwise = [1, 1, channels * depthMultiplier, filters];
      return [
        { name: "depthwise_kernel", shape: depthwise, initializer: depthwiseInitializer },
        { name: "pointwise_kernel", shape: pointwise, initializer: pointwiseInitializer },
        ...(useBias ? [{ name: "bias", shape: [filters], initializer: biasInitializer }] : []),
      ];
    },
    call: (call) => {
      const { depthwise_kernel, pointwise_kernel, bias } = call.variables;
      const window = { ...attributes, padding };
      const { y: seen } = call.add(depthwiseConv2dOp, { x: call.input, kernel: depthwise_kernel! }, window);
      const one = { strides: [1, 1], padding: "valid" } as const;
      const { y } = call.add(conv2dOp, { x: seen, kernel: pointwise_kernel!, bias }, one);
      return activated(call, y, activation);
    },
  });
}
