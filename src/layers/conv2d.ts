import { knownKeys, positiveInteger } from "../base/errors.ts";
import { conv2d as conv2dOp } from "../ops/conv2d/conv2d.ts";
import { defineLayer } from "./define-layer.ts";
import { KERNEL_OPTIONS, type KernelOptions, kernelOptions } from "./kernel-options.ts";
import { assertImageInput, type Layer } from "./layer.ts";
import { activated, type PairOption, paddingOption, pair } from "./options.ts";

export interface Conv2dOptions extends KernelOptions {
  /** Number of output channels. */
  readonly filters: number;
  readonly kernelSize: PairOption;
  /** Steps of the window: one number for both axes, or [height, width]. Default 1. */
  readonly strides?: PairOption;
  /** Padding. `valid` (default): whole windows only. `same`: ceil(size / stride) windows, with zeros around the image. */
  readonly padding?: "valid" | "same";
}

/**
 * Convolution in two dimensions (cross-correlation), over images [batch, height, width, channels] with kernels
 * [kH, kW, channels, filters]: Keras's `Conv2D` with `channels_last`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built,
 *   for an input that is not images or smaller than the kernel
 */
export function conv2d(options: Conv2dOptions): Layer {
  const where = "conv2d";
  knownKeys(options, ["filters", "kernelSize", "strides", "padding", ...KERNEL_OPTIONS], where);
  const filters = positiveInteger(options.filters, `${where}: filters`);
  const kernelSize = pair(options.kernelSize, `${where}: kernelSize`);
  const strides = pair(options.strides ?? 1, `${where}: strides`);
  const padding = paddingOption(options.padding ?? "valid", `${where}: padding`);
  const { activation, variables, config, ...common } = kernelOptions(options, where);
  const type = "Conv2D";
  return defineLayer({
    type,
    ...common,
    config: { filters, kernelSize, strides, padding, ...config },
    variables: (built) => {
      assertImageInput(type, built);
      return variables([...kernelSize, built.input[2]!, filters]);
    },
    call: (call) => {
      const { kernel, bias } = call.variables;
      const { y } = call.add(conv2dOp, { x: call.input, kernel: kernel!, bias }, { strides, padding });
      return activated(call, y, activation);
    },
  });
}
