import { flag, knownKeys, optionalText, positiveInteger } from "../errors.ts";
import type { Shape } from "../shape.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import { type Layer, wantImages } from "./layer.ts";
import {
  activated,
  activationOption,
  inputShapeOption,
  type LayerActivation,
  type PairOption,
  paddingOption,
  pair,
} from "./options.ts";

export interface Conv2dOptions {
  /** Number of output channels. */
  readonly filters: number;
  readonly kernelSize: PairOption;
  /** Default 1. */
  readonly strides?: PairOption;
  /** `valid` (default): whole windows only. `same`: as many windows as ceil(size / stride), zeros around. */
  readonly padding?: "valid" | "same";
  /** Default `linear`. */
  readonly activation?: LayerActivation;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default `glorotUniform`. */
  readonly kernelInitializer?: Initializer;
  /** Default `zeros`. */
  readonly biasInitializer?: Initializer;
  /** Of one image, [height, width, channels]. */
  readonly inputShape?: Shape;
  readonly name?: string;
}

const OPTIONS = [
  ...["filters", "kernelSize", "strides", "padding", "activation", "useBias"],
  ...["kernelInitializer", "biasInitializer", "inputShape", "name"],
];

/**
 * 2-D convolution (cross-correlation) over images [batch, height, width, channels], kernels [kH, kW, channels, filters]:
 * Keras's `Conv2D` with `channels_last`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when the model is built,
 *   for an input that is not images or smaller than the kernel
 */
export function conv2d(options: Conv2dOptions): Layer {
  const where = "conv2d";
  knownKeys(options, OPTIONS, where);
  const filters = positiveInteger(options.filters, `${where}: filters`);
  const kernelSize = pair(options.kernelSize, `${where}: kernelSize`);
  const strides = pair(options.strides ?? 1, `${where}: strides`);
  const padding = paddingOption(options.padding ?? "valid", `${where}: padding`);
  const activation = activationOption(options.activation ?? "linear", `${where}: activation`);
  const kernelInitializer = initializerOption(
    options.kernelInitializer ?? "glorotUniform",
    `${where}: kernelInitializer`,
  );
  const biasInitializer = initializerOption(options.biasInitializer ?? "zeros", `${where}: biasInitializer`);
  const useBias = flag(options.useBias ?? true, `${where}: useBias`);
  const type = "Conv2D";
  return {
    type,
    name: optionalText(options.name, `${where}: name`),
    inputShape: inputShapeOption(options.inputShape, `${where}: inputShape`),
    parameters: (place) => {
      wantImages(type, place);
      const kernel = {
        name: "kernel",
        shape: [...kernelSize, place.input[2]!, filters],
        initializer: kernelInitializer,
      };
      return useBias ? [kernel, { name: "bias", shape: [filters], initializer: biasInitializer }] : [kernel];
    },
    call: (call) => {
      const [y] = call.add("conv2d", [call.input, ...call.parameters], { strides, padding });
      return activated(call, y!, activation);
    },
  };
}
