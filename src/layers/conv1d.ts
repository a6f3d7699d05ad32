import { knownKeys, oneOf, positiveInteger } from "../base/errors.ts";
import { conv2d as conv2dOp } from "../ops/conv2d/conv2d.ts";
import { assertStridesOrDilation } from "../ops/window.ts";
import { channelsOfGroup, groupsOption } from "./conv2d.ts";
import { defineLayer } from "./define-layer.ts";
import { KERNEL_OPTIONS, type KernelOptions, kernelOptions } from "./kernel-options.ts";
import type { Layer } from "./layer.ts";
import { activated } from "./options.ts";
import { asImage, asSequence, assertSequenceInput, length1d } from "./sequence.ts";

export interface Conv1dOptions extends KernelOptions {
  /** Number of output channels. */
  readonly filters: number;
  /** Steps that the window covers. */
  readonly kernelSize: number;
  /** Steps of the window. Default 1. */
  readonly strides?: number;
  /**
   * Padding. `valid` (default): whole windows only. `same`: ceil(steps / stride) windows, with zeros around the steps. `causal`: zeros
   * before the first step alone, so that no output sees a later step than its own.
   */
  readonly padding?: "valid" | "same" | "causal";
  /** Steps from tap to tap of the kernel. Default 1. With strides above 1 it is 1. */
  readonly dilationRate?: number;
  /** Groups of channels. Each group of filters sees one group of the input's channels. Default 1. */
  readonly groups?: number;
}

/**
 * Convolution in one dimension (cross-correlation), over sequences [batch, steps, channels] with kernels
 * [kernelSize, channels / groups, filters]: Keras's `Conv1D` with `channels_last` (keras/src/layers/convolutional/conv1d.py). It runs in
 * the kernels of `conv2d`, on images of one row.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range, for strides and dilationRate that are both
 *   above 1, and for filters that are no multiple of groups; `shape`, when it is called or built, for an input that is not sequences,
 *   shorter than the kernel, or of channels that are no multiple of groups
 * @example
 * const past = conv1d({ filters: 8, kernelSize: 2, padding: "causal", dilationRate: 4 }); // sees a step and the fourth before it
 */
export function conv1d(options: Conv1dOptions): Layer {
  const where = "conv1d";
  const own = ["filters", "kernelSize", "strides", "padding", "dilationRate", "groups"] as const;
  knownKeys(options, [...own, ...KERNEL_OPTIONS], where);
  const filters = positiveInteger(options.filters, `${where}: filters`);
  const kernelSize = length1d(options.kernelSize, `${where}: kernelSize`);
  const strides = length1d(options.strides ?? 1, `${where}: strides`);
  const dilationRate = length1d(options.dilationRate ?? 1, `${where}: dilationRate`);
  assertStridesOrDilation([1, strides], [1, dilationRate], where);
  const padding = oneOf(options.padding ?? "valid", ["valid", "same", "causal"], `${where}: padding`);
  const groups = groupsOption(options.groups ?? 1, filters, where);
  const { activation, variables, config, ...common } = kernelOptions(options, where);
  const type = "Conv1D";
  const before = (kernelSize - 1) * dilationRate;
  return defineLayer({
    type,
    ...common,
    config: { filters, kernelSize, strides, padding, dilationRate, groups, ...config },
    variables: (built) => {
      assertSequenceInput(type, built);
      return variables([kernelSize, channelsOfGroup(type, built, groups), filters]);
    },
    call: (call) => {
      const { kernel, bias } = call.variables;
      const outW = Math.ceil(call.shapeOf(call.input)[1]! / strides);
      const causal = { outH: 1, outW, padH: 0, padW: before, padded: before > 0 };
      const window = {
        strides: [1, strides] as const,
        padding: padding === "causal" ? causal : padding,
        ...(dilationRate > 1 && { dilation: [1, dilationRate] as const }),
        ...(groups > 1 && { groups }),
      };
      const { y } = call.add(conv2dOp, { x: asImage(call, call.input), kernel: kernel!, bias }, window);
      return asSequence(call, activated(call, y, activation));
    },
  });
}
