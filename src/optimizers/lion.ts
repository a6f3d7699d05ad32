import { finiteNumber, knownKeys, wrong } from "../base/errors.ts";
import { lion as lionOp } from "../ops/updates/lion.ts";
import { COMMON_OPTIONS, type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";

export interface LionOptions extends OptimizerOptions {
  /** Share of the kept mean in a step's direction, above 0 and below 1. Default 0.9. */
  readonly beta1?: number;
  /** Share of the gradients' mean that is kept from step to step, at least 0 and below 1. Default 0.99. */
  readonly beta2?: number;
}

/**
 * Lion, as Keras has it (`keras/src/optimizers/lion.py`): every number of a parameter moves by the learning rate, up or down.
 *
 * ```
 * p := p - learningRate sign(beta1 m + (1 - beta1) dp)          m := beta2 m + (1 - beta2) dp
 * ```
 *
 * It keeps m beside each parameter.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function lion(options: LionOptions = {}): Optimizer {
  knownKeys(options, [...COMMON_OPTIONS, "beta1", "beta2"], "lion");
  const beta1 = finiteNumber(options.beta1 ?? 0.9, "lion: beta1", 0, 1);
  if (beta1 === 0) throw wrong("lion: beta1", "be above 0", beta1);
  const beta2 = finiteNumber(options.beta2 ?? 0.99, "lion: beta2", 0, 1);
  const { weightDecay: decay = 0 } = options;
  return optimizerOf(options, {
    name: "lion",
    config: { beta1, beta2 },
    slots: (shape) => [{ name: "momentum", shape }],
    step: ({ parameter: p, gradient: g, slots: { momentum: m }, hyperparameter, add }) => {
      add(lionOp, { p, g, rate: hyperparameter("learningRate"), m: m! }, { beta1, beta2, decay });
    },
  });
}
