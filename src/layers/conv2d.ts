import { FeaturemapError, knownKeys, positiveInteger, wrong } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { conv2d as conv2dOp } from "../ops/conv2d/conv2d.ts";
import { defineLayer } from "./define-layer.ts";
import { KERNEL_OPTIONS, type KernelOptions, kernelOptions } from "./kernel-options.ts";
import { assertImageInput, type Layer, type LayerInput, subject } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import { activated, type PairOption, paddingOption, pair, stepOptions } from "./options.ts";

export interface Conv2dOptions extends KernelOptions {
  /** Number of output channels. */
  readonly filters: number;
  readonly kernelSize: PairOption;
  /** Steps of the window: one number for both axes, or [height, width]. Default 1. */
  readonly strides?: PairOption;
  /** Padding. `valid` (default): whole windows only. `same`: ceil(size / stride) windows, with zeros around the image. */
  readonly padding?: "valid" | "same";
  /** Rows and columns from tap to tap of the kernel: one number for both axes, or [height, width]. Default 1. With strides above 1 it is 1. */
  readonly dilationRate?: PairOption;
  /**
   * Groups of channels. Each group of filters sees one group of the input's channels. Default 1. As many groups as channels are
   * computed faster by `depthwiseConv2d`.
   */
  readonly groups?: number;
}

/**
 * Convolution in two dimensions (cross-correlation), over images [batch, height, width, channels] with kernels
 * [kH, kW, channels / groups, filters]: Keras's `Conv2D` with `channels_last` (keras/src/layers/convolutional/base_conv.py).
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range, for strides and dilationRate that are both
 *   above 1, and for filters that are no multiple of groups; `shape`, when it is called or built, for an input that is not images,
 *   smaller than the kernel, or of channels that are no multiple of groups
 * @example
 * const wide = conv2d({ filters: 8, kernelSize: 3, padding: "same", dilationRate: 2 }); // sees 5 x 5 pixels by 9 weights a channel
 * const halves = conv2d({ filters: 8, kernelSize: 3, groups: 2 }); // 4 filters see the first half of the channels, 4 the second
 */
export function conv2d(options: Conv2dOptions): Layer {
  const where = "conv2d";
  knownKeys(
    options,
    ["filters", "kernelSize", "strides", "padding", "dilationRate", "groups", ...KERNEL_OPTIONS],
    where,
  );
  const filters = positiveInteger(options.filters, `${where}: filters`);
  const kernelSize = pair(options.kernelSize, `${where}: kernelSize`);
  const { strides, dilationRate, attributes } = stepOptions(options, where);
  const padding = paddingOption(options.padding ?? "valid", `${where}: padding`);
  const groups = groupsOption(options.groups ?? 1, filters, where);
  const { activation, variables, config, ...common } = kernelOptions(options, where);
  const type = "Conv2D";
  return defineLayer(
    withParts(
      {
        type,
        ...common,
        config: { filters, kernelSize, strides, padding, dilationRate, groups, ...config },
        variables: (built) => {
          assertImageInput(type, built);
          return variables([...kernelSize, channelsOfGroup(type, built, groups), filters]);
        },
        call: (call) => {
          const { kernel, bias } = call.variables;
          const { y } = call.add(
            conv2dOp,
            { x: call.input, kernel: kernel!, bias },
            { ...attributes, padding, ...(groups > 1 && { groups }) },
          );
          return activated(call, y, activation);
        },
      },
      options,
      where,
    ),
  );
}

/** @throws FeaturemapError `value` unless the filters come in so many groups */
export function groupsOption(value: unknown, filters: number, where: string): number {
  const groups = positiveInteger(value, `${where}: groups`, 31);
  if (filters % groups !== 0) throw wrong(`${where}: groups`, `divide the ${filters} filters`, value);
  return groups;
}

/**
 * Gives the channels that one group of filters sees.
 *
 * @throws FeaturemapError `shape` unless the input's channels come in so many groups
 */
export function channelsOfGroup(type: string, { name, input }: LayerInput, groups: number): number {
  const channels = input.at(-1)!;
  if (channels % groups === 0) return channels / groups;
  const got = `${channels} channels, of ${batchShape(input)}`;
  throw new FeaturemapError(
    "shape",
    `${subject(type, name)} wants channels that come in ${groups} groups, got ${got}.`,
  );
}
