import { knownKeys, positiveInteger } from "../base/errors.ts";
import { conv2dOps } from "../ops/conv2d/conv2d.ts";
import { winogradOps } from "../ops/conv2d/winograd.ts";
import { KERNEL_OPTIONS, type KernelOptions, kernelOptions } from "./kernel-options.ts";
import { type Layer, wantImages } from "./layer.ts";
import { activated, type PairOption, paddingOption, pair } from "./options.ts";

export interface Conv2dOptions extends KernelOptions {
  /** Number of output channels. */
  readonly filters: number;
  readonly kernelSize: PairOption;
  /** Default 1. */
  readonly strides?: PairOption;
  /** `valid` (default): whole windows only. `same`: ceil(size / stride) windows, zeros around the image. */
  readonly padding?: "valid" | "same";
}

/**
 * 2-D convolution (cross-correlation) over images [batch, height, width, channels], kernels [kH, kW, channels, filters]:
 * Keras's `Conv2D` with `channels_last`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when the model is built,
 *   for an input that is not images or smaller than the kernel
 */
export function conv2d(options: Conv2dOptions): Layer {
  const where = "conv2d";
  knownKeys(options, ["filters", "kernelSize", "strides", "padding", ...KERNEL_OPTIONS], where);
  const filters = positiveInteger(options.filters, `${where}: filters`);
  const kernelSize = pair(options.kernelSize, `${where}: kernelSize`);
  const strides = pair(options.strides ?? 1, `${where}: strides`);
  const padding = paddingOption(options.padding ?? "valid", `${where}: padding`);
  const { activation, parameters, config, ...common } = kernelOptions(options, where);
  const type = "Conv2D";
  return {
    type,
    ...common,
    config: { filters, kernelSize, strides, padding, ...config },
    ops: [...conv2dOps, ...winogradOps],
    parameters: (place) => {
      wantImages(type, place);
      return parameters([...kernelSize, place.input[2]!, filters]);
    },
    call: (call) => {
      const [y] = call.add("conv2d", [call.input, ...call.parameters], { strides, padding });
      return activated(call, y!, activation);
    },
  };
}
