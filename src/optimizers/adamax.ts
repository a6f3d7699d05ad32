import { finiteNumber, knownKeys } from "../base/errors.ts";
import { adamax as adamaxOp } from "../ops/updates/adamax.ts";
import { COMMON_OPTIONS, type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";

export interface AdamaxOptions extends OptimizerOptions {
  /** Share of the gradients' mean that is kept from step to step, at least 0 and below 1. Default 0.9. */
  readonly beta1?: number;
  /** Share of their largest size that is kept, at least 0 and below 1. Default 0.999. */
  readonly beta2?: number;
  /** Keeps the divisor above 0. Default 1e-7. */
  readonly epsilon?: number;
}

/**
 * Adamax, as Keras has it (`keras/src/optimizers/adamax.py`), at step t, from 1:
 *
 * ```
 * m := m + (dp - m) (1 - beta1)        u := max(beta2 u, |dp|)
 * p := p - learningRate / (1 - beta1^t) m / (u + epsilon)
 * ```
 *
 * It keeps m and u beside each parameter.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function adamax(options: AdamaxOptions = {}): Optimizer {
  knownKeys(options, [...COMMON_OPTIONS, "beta1", "beta2", "epsilon"], "adamax");
  const beta1 = finiteNumber(options.beta1 ?? 0.9, "adamax: beta1", 0, 1);
  const beta2 = finiteNumber(options.beta2 ?? 0.999, "adamax: beta2", 0, 1);
  const epsilon = finiteNumber(options.epsilon ?? 1e-7, "adamax: epsilon", 0);
  const { weightDecay: decay = 0 } = options;
  return optimizerOf(options, {
    name: "adamax",
    config: { beta1, beta2, epsilon },
    slots: (shape) => [{ name: "moments", shape: [2, ...shape] }],
    step: ({ parameter: p, gradient: g, state, slots: { moments }, hyperparameter, add }) => {
      const inputs = { p, g, rate: hyperparameter("learningRate"), state, moments: moments! };
      add(adamaxOp, inputs, { beta1, beta2, epsilon, decay });
    },
  });
}
