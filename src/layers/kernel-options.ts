import { flag, optionalText } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import type { Layer, ParameterSpec } from "./layer.ts";
import { activationOption, inputShapeOption, type LayerActivation } from "./options.ts";

/** The options of a layer with a kernel and a bias. */
export interface KernelOptions {
  /** Default `linear`. */
  readonly activation?: LayerActivation;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default `glorotUniform`. */
  readonly kernelInitializer?: Initializer;
  /** Default `zeros`. */
  readonly biasInitializer?: Initializer;
  /** Shape of one sample, without the batch axis: [features] for `dense`, [height, width, channels] for `conv2d`. */
  readonly inputShape?: Shape;
  readonly name?: string;
}

export const KERNEL_OPTIONS = [
  "activation",
  "useBias",
  "kernelInitializer",
  "biasInitializer",
  "inputShape",
  "name",
] as const satisfies readonly (keyof KernelOptions)[];

interface Checked extends Pick<Layer, "name" | "inputShape"> {
  readonly activation: LayerActivation;
  /** The options that a layer's `config` has of these. */
  readonly config: object;
  /** The layer's parameters, for a kernel of this shape, whose last axis is the outputs. */
  parameters(kernelShape: Shape): readonly ParameterSpec[];
}

/** @throws FeaturemapError `value` for an option that is out of range; `where` names the layer */
export function kernelOptions(options: KernelOptions, where: string): Checked {
  const option = (name: keyof KernelOptions) => `${where}: ${name}`;
  const activation = activationOption(options.activation ?? "linear", option("activation"));
  const useBias = flag(options.useBias ?? true, option("useBias"));
  const kernelInitializer = options.kernelInitializer ?? "glorotUniform";
  const kernel = { name: "kernel", initializer: initializerOption(kernelInitializer, option("kernelInitializer")) };
  const biasInitializer = initializerOption(options.biasInitializer ?? "zeros", option("biasInitializer"));
  const bias = { name: "bias", initializer: biasInitializer };
  return {
    activation,
    config: { activation, useBias, kernelInitializer, biasInitializer },
    name: optionalText(options.name, option("name")),
    inputShape: inputShapeOption(options.inputShape, option("inputShape")),
    parameters: (shape) => [{ ...kernel, shape }, ...(useBias ? [{ ...bias, shape: shape.slice(-1) }] : [])],
  };
}
