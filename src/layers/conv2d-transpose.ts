import { FeaturemapError, knownKeys, positiveInteger, wrong } from "../base/errors.ts";
import { showShape } from "../base/shape.ts";
import { conv2dTranspose as op } from "../ops/conv2d/conv2d-transpose.ts";
import type { Pair } from "../ops/window.ts";
import { defineLayer } from "./define-layer.ts";
import { KERNEL_OPTIONS, type KernelOptions, kernelOptions } from "./kernel-options.ts";
import { assertImageInput, type Layer } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import { activated, type PairOption, paddingOption, pair, stepOptions } from "./options.ts";

export interface Conv2dTransposeOptions extends KernelOptions {
  /** Number of output channels. */
  readonly filters: number;
  readonly kernelSize: PairOption;
  /** Times that the image grows: one number for both axes, or [height, width]. Default 1. */
  readonly strides?: PairOption;
  /** Padding. `valid` (default): all that the kernel reaches. `same`: as many rows and columns as the image has, times strides. */
  readonly padding?: "valid" | "same";
  /** Rows and columns added at the end, each below its stride: one number or [height, width]. Default: as many as `padding` wants. */
  readonly outputPadding?: PairOption | undefined;
  /** Rows and columns from tap to tap of the kernel: one number for both axes, or [height, width]. Default 1. With strides above 1 it is 1. */
  readonly dilationRate?: PairOption;
}

/**
 * Transposed convolution in two dimensions, which makes images larger: Keras's `Conv2DTranspose` with `channels_last`
 * (keras/src/layers/convolutional/base_conv_transpose.py). Images are [batch, height, width, channels], kernels
 * [kH, kW, filters, channels]. Each number of the input puts the kernel, times it, into the output at `strides` times its place, and what
 * overlaps is added. The output is in * strides for `same`, (in - 1) * strides + max(kernel, strides) for `valid`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range, for strides and dilationRate that are both
 *   above 1, and for an outputPadding that is not below the strides; `shape`, when it is called or built, for an input that is not images
 * @example
 * const twice = conv2dTranspose({ filters: 8, kernelSize: 2, strides: 2, activation: "relu" }); // [batch, 7, 7, 16] to [batch, 14, 14, 8]
 */
export function conv2dTranspose(options: Conv2dTransposeOptions): Layer {
  const where = "conv2dTranspose";
  const own = ["filters", "kernelSize", "strides", "padding", "outputPadding", "dilationRate"] as const;
  knownKeys(options, [...own, ...KERNEL_OPTIONS], where);
  const filters = positiveInteger(options.filters, `${where}: filters`);
  const kernelSize = pair(options.kernelSize, `${where}: kernelSize`);
  const { strides, dilationRate, attributes } = stepOptions(options, where);
  const padding = paddingOption(options.padding ?? "valid", `${where}: padding`);
  const outputPadding = outputPaddingOption(options.outputPadding, strides, `${where}: outputPadding`);
  const { activation, variables, config, ...common } = kernelOptions(options, where);
  const type = "Conv2DTranspose";
  const added = outputPadding && { outputPadding };
  return defineLayer(
    withParts(
      {
        type,
        ...common,
        config: { filters, kernelSize, strides, padding, ...added, dilationRate, ...config },
        variables: (built) => {
          assertImageInput(type, built);
          return variables([...kernelSize, filters, built.input[2]!], filters);
        },
        call: (call) => {
          const { kernel, bias } = call.variables;
          const { y } = call.add(op, { x: call.input, kernel: kernel!, bias }, { ...attributes, padding, ...added });
          return activated(call, y, activation);
        },
      },
      options,
      where,
    ),
  );
}

/** @throws FeaturemapError `value` unless it is left out, or whole numbers below the strides */
function outputPaddingOption(value: unknown, strides: Pair, where: string): Pair | undefined {
  if (value === undefined || value === null) return undefined;
  const both: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  const whole = both.length === 2 && both.every((each) => Number.isInteger(each) && (each as number) >= 0);
  if (!whole) throw wrong(where, "be a whole number from 0 on or a pair of them", value);
  const [h, w] = both as Pair;
  if (h < strides[0] && w < strides[1]) return [h, w];
  throw new FeaturemapError(
    "value",
    `${where} must be below the strides, ${showShape(strides)}, got ${showShape([h, w])}.`,
  );
}
