import { FeaturemapError, flag, knownKeys, optionalText, positiveInteger } from "../errors.ts";
import type { Shape } from "../shape.ts";
import { type Initializer, initializerOption } from "./initializers.ts";
import { got, type Layer, subject } from "./layer.ts";
import { activated, activationOption, inputShapeOption, type LayerActivation } from "./options.ts";

export interface DenseOptions {
  /** Number of outputs. */
  readonly units: number;
  /** Default `linear`. */
  readonly activation?: LayerActivation;
  /** Default true. */
  readonly useBias?: boolean;
  /** Default `glorotUniform`. */
  readonly kernelInitializer?: Initializer;
  /** Default `zeros`. */
  readonly biasInitializer?: Initializer;
  readonly inputShape?: Shape;
  readonly name?: string;
}

const OPTIONS = ["units", "activation", "useBias", "kernelInitializer", "biasInitializer", "inputShape", "name"];

/**
 * y = act(x kernel + bias), x [batch, features], kernel [features, units]: Keras's `Dense`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when the model is built,
 *   for an input that is not flat
 */
export function dense(options: DenseOptions): Layer {
  const where = "dense";
  knownKeys(options, OPTIONS, where);
  const units = positiveInteger(options.units, `${where}: units`);
  const activation = activationOption(options.activation ?? "linear", `${where}: activation`);
  const kernelInitializer = initializerOption(
    options.kernelInitializer ?? "glorotUniform",
    `${where}: kernelInitializer`,
  );
  const biasInitializer = initializerOption(options.biasInitializer ?? "zeros", `${where}: biasInitializer`);
  const useBias = flag(options.useBias ?? true, `${where}: useBias`);
  const type = "Dense";
  return {
    type,
    name: optionalText(options.name, `${where}: name`),
    inputShape: inputShapeOption(options.inputShape, `${where}: inputShape`),
    parameters: ({ name, input, from }) => {
      if (input.length !== 1) {
        throw new FeaturemapError(
          "shape",
          `${subject(type, name)} wants a flat input [batch, features], got ${got(input)} from "${from}". Add flatten() before it.`,
        );
      }
      const kernel = { name: "kernel", shape: [input[0]!, units], initializer: kernelInitializer };
      return useBias ? [kernel, { name: "bias", shape: [units], initializer: biasInitializer }] : [kernel];
    },
    call: (call) => {
      const [y] = call.add("dense", [call.input, ...call.parameters]);
      return activated(call, y!, activation);
    },
  };
}
