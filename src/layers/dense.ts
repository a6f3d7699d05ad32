import { knownKeys, positiveInteger } from "../base/errors.ts";
import { dense as denseOp } from "../ops/dense/dense.ts";
import { defineLayer } from "./define-layer.ts";
import { KERNEL_OPTIONS, type KernelOptions, kernelOptions } from "./kernel-options.ts";
import type { Layer } from "./layer.ts";
import { withParts } from "./layer-parts.ts";
import { activated } from "./options.ts";

export interface DenseOptions extends KernelOptions {
  /** Number of outputs. */
  readonly units: number;
}

/**
 * Dense layer: y = act(x kernel + bias), over the last axis of x [batch, ..., features], with a kernel [features, units]. Keras's `Dense`
 * (`keras/src/layers/core/dense.py`). Behind a convolution, `flatten()` before it makes each sample one row.
 *
 * @throws FeaturemapError `value` for an option that is missing, unknown or out of range
 * @example
 * sequential([flatten({ inputShape: [28, 28, 1] }), dense({ units: 10, activation: "softmax" })]);
 */
export function dense(options: DenseOptions): Layer {
  const where = "dense";
  knownKeys(options, ["units", ...KERNEL_OPTIONS], where);
  const units = positiveInteger(options.units, `${where}: units`);
  const { activation, variables, config, ...common } = kernelOptions(options, where);
  return defineLayer(
    withParts(
      {
        type: "Dense",
        ...common,
        config: { units, ...config },
        variables: ({ input }) => variables([input.at(-1)!, units]),
        call: (call) => {
          const { kernel, bias } = call.variables;
          const { y } = call.add(denseOp, { x: call.input, kernel: kernel!, bias });
          return activated(call, y, activation);
        },
      },
      options,
      where,
    ),
  );
}
