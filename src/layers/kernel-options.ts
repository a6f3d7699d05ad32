import { flag } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { Constraint } from "./define-constraint.ts";
import type { Regularizer } from "./define-regularizer.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import type { LayerSpec, VariableSpec } from "./layer.ts";
import { activationOption, LAYER_OPTIONS, type LayerActivation, type LayerOptions, layerOptions } from "./options.ts";

/** Options of a layer with a kernel and a bias. */
export interface KernelOptions extends LayerOptions {
  /** Activation. Default `linear`. */
  readonly activation?: LayerActivation;
  /** Whether there is a bias. Default true. */
  readonly useBias?: boolean;
  /** First values of the kernel. Default `glorotUniform`. */
  readonly kernelInitializer?: Initializer;
  /** First values of the bias. Default `zeros`. */
  readonly biasInitializer?: Initializer;
  /** What the kernel adds to the loss, such as `l2()`. Default: nothing. */
  readonly kernelRegularizer?: Regularizer;
  /** What the bias adds to the loss, such as `l2()`. Default: nothing. */
  readonly biasRegularizer?: Regularizer;
  /** What the outputs add to the loss, such as `l2()`: the mean over the samples. Default: nothing. */
  readonly activityRegularizer?: Regularizer;
  /** What the kernel becomes after each step, such as `maxNorm()`. Default: what it is. */
  readonly kernelConstraint?: Constraint;
  /** What the bias becomes after each step, such as `maxNorm()`. Default: what it is. */
  readonly biasConstraint?: Constraint;
}

export const KERNEL_OPTIONS = [
  "activation",
  "useBias",
  "kernelInitializer",
  "biasInitializer",
  "kernelRegularizer",
  "biasRegularizer",
  "activityRegularizer",
  "kernelConstraint",
  "biasConstraint",
  ...LAYER_OPTIONS,
] as const satisfies readonly (keyof KernelOptions)[];

interface Checked extends Pick<LayerSpec, "name" | "inputShape" | "trainable"> {
  readonly activation: LayerActivation;
  /** Part of these options in a layer's `config`. */
  readonly config: object;
  /** Gives the layer's variables, for a kernel of this shape. Default of the outputs: its last axis. */
  variables(kernelShape: Shape, outputs?: number): readonly VariableSpec[];
}

/**
 * Checks the options of a layer with a kernel.
 *
 * @throws FeaturemapError `value` for an option that is out of range; `where` names the layer
 */
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
    ...layerOptions(options, where),
    variables: (shape, outputs = shape.at(-1)!) => [
      { ...kernel, shape },
      ...(useBias ? [{ ...bias, shape: [outputs] }] : []),
    ],
  };
}
