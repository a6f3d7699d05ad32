import { cut, FeaturemapError, knownKeys, positiveInteger } from "../base/errors.ts";
import { batchShape } from "../base/shape.ts";
import { dense as denseOp } from "../ops/dense/dense.ts";
import { defineLayer } from "./define-layer.ts";
import { KERNEL_OPTIONS, type KernelOptions, kernelOptions } from "./kernel-options.ts";
import { type Layer, subject } from "./layer.ts";
import { activated } from "./options.ts";

export interface DenseOptions extends KernelOptions {
  /** Number of outputs. */
  readonly units: number;
}

/**
 * Dense layer: y = act(x kernel + bias), with x [batch, features] and kernel [features, units]. Keras's `Dense`.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range; `shape`, when it is called or built,
 *   for an input that is not flat
 */
export function dense(options: DenseOptions): Layer {
  const where = "dense";
  knownKeys(options, ["units", ...KERNEL_OPTIONS], where);
  const units = positiveInteger(options.units, `${where}: units`);
  const { activation, variables, config, ...common } = kernelOptions(options, where);
  const type = "Dense";
  return defineLayer({
    type,
    ...common,
    config: { units, ...config },
    variables: ({ name, input, from }) => {
      if (input.length !== 1) {
        throw new FeaturemapError(
          "shape",
          `${subject(type, name)} wants a flat input [batch, features], got ${batchShape(input)} from "${cut(from)}". ` +
            "Add flatten() before it.",
        );
      }
      return variables([input[0]!, units]);
    },
    call: (call) => {
      const { kernel, bias } = call.variables;
      const { y } = call.add(denseOp, { x: call.input, kernel: kernel!, bias });
      return activated(call, y, activation);
    },
  });
}
