import { finiteNumber, knownKeys } from "../base/errors.ts";
import { nadam as nadamOp } from "../ops/updates/nadam.ts";
import { nadamFactors } from "../ops/updates/nadam-factors.ts";
import { COMMON_OPTIONS, type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";

export interface NadamOptions extends OptimizerOptions {
  /** Share of the gradients' mean that is kept from step to step, at least 0 and below 1. Default 0.9. */
  readonly beta1?: number;
  /** Share of the mean of their squares that is kept, at least 0 and below 1. Default 0.999. */
  readonly beta2?: number;
  /** Keeps the divisor above 0. Default 1e-7. */
  readonly epsilon?: number;
}

/**
 * Adam with Nesterov's momentum, as Keras has it (`keras/src/optimizers/nadam.py`), at step t, from 1:
 *
 * ```
 * u(t) = beta1 (1 - 0.96^t / 2)        U(t) = u(1) u(2) ... u(t)
 * m := m + (dp - m) (1 - beta1)        v := v + (dp^2 - v) (1 - beta2)
 * h = u(t + 1) m / (1 - U(t + 1)) + (1 - u(t)) dp / (1 - U(t))
 * p := p - learningRate h / (sqrt(v / (1 - beta2^t)) + epsilon)
 * ```
 *
 * It keeps m and v beside each parameter, and U once.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function nadam(options: NadamOptions = {}): Optimizer {
  knownKeys(options, [...COMMON_OPTIONS, "beta1", "beta2", "epsilon"], "nadam");
  const beta1 = finiteNumber(options.beta1 ?? 0.9, "nadam: beta1", 0, 1);
  const beta2 = finiteNumber(options.beta2 ?? 0.999, "nadam: beta2", 0, 1);
  const epsilon = finiteNumber(options.epsilon ?? 1e-7, "nadam: epsilon", 0);
  const { weightDecay: decay = 0 } = options;
  return optimizerOf(options, {
    name: "nadam",
    config: { beta1, beta2, epsilon },
    slots: (shape) => [{ name: "moments", shape: [2, ...shape] }],
    variables: () => [{ name: "product", shape: [1], initial: 1 }],
    begin: ({ state, variables: { product }, add }) => ({
      factors: add(nadamFactors, { state, product: product! }, { beta1, beta2 }).factors,
    }),
    step: ({ parameter: p, gradient: g, slots: { moments }, shared: { factors }, hyperparameter, add }) => {
      const rate = hyperparameter("learningRate");
      add(nadamOp, { p, g, rate, factors: factors!, moments: moments! }, { beta1, beta2, epsilon, decay });
    },
  });
}
