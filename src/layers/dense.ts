import { cut, FeaturemapError, knownKeys, positiveInteger } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { KERNEL_OPTIONS, type KernelOptions, kernelOptions } from "./kernel-options.ts";
import { type Layer, subject } from "./layer.ts";
import { activated } from "./options.ts";

export interface DenseOptions extends KernelOptions {
  /** Number of outputs. */
  readonly units: number;
}

/**
 * y = act(x kernel + bias), x [batch, features], kernel [features, units]: Keras's `Dense`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when the model is built,
 *   for an input that is not flat
 */
export function dense(options: DenseOptions): Layer {
  const where = "dense";
  knownKeys(options, ["units", ...KERNEL_OPTIONS], where);
  const units = positiveInteger(options.units, `${where}: units`);
  const { activation, parameters, config, ...common } = kernelOptions(options, where);
  const type = "Dense";
  return {
    type,
    ...common,
    config: { units, ...config },
    parameters: ({ name, input, from }) => {
      if (input.length !== 1) {
        throw new FeaturemapError(
          "shape",
          `${subject(type, name)} wants a flat input [batch, features], got ${batchShape(input)} from "${cut(from)}". ` +
            "Add flatten() before it.",
        );
      }
      return parameters([input[0]!, units]);
    },
    call: (call) => {
      const [y] = call.add("dense", [call.input, ...call.parameters]);
      return activated(call, y!, activation);
    },
  };
}
