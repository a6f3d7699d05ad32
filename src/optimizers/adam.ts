import { finiteNumber, flag, knownKeys } from "../base/errors.ts";
import { adam as adamOp } from "../ops/updates/adam.ts";
import { COMMON_OPTIONS, type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";

export interface AdamOptions extends OptimizerOptions {
  /** Share of the gradients' mean that is kept from step to step, at least 0 and below 1. Default 0.9. */
  readonly beta1?: number;
  /** Share of the mean of their squares that is kept, at least 0 and below 1. Default 0.999. */
  readonly beta2?: number;
  /** Keeps the divisor above 0. Default 1e-7. */
  readonly epsilon?: number;
  /** Whether to divide by the largest mean of squares so far instead of the latest (AMSGrad). Default false. */
  readonly amsgrad?: boolean;
}

/** Options of `adamW`: those of `adam`, with a `weightDecay` of 0.004 by default. */
export type AdamWOptions = AdamOptions;

/**
 * Adam, as Keras has it (`keras/src/optimizers/adam.py`), at step t, from 1:
 *
 * ```
 * m := m + (dp - m) (1 - beta1)        v := v + (dp^2 - v) (1 - beta2)
 * p := p - learningRate sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + epsilon)
 * ```
 *
 * With `amsgrad`, the largest v so far stands in the place of v. It keeps m and v beside each parameter, and that largest v.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return adamNamed("adam", options);
}

/**
 * Adam with decoupled weight decay (`keras/src/optimizers/adamw.py`): p := p - weightDecay learningRate p, then the step of
 * `adam`. It decays every parameter, biases too, as in Keras.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  return adamNamed("adamW", options, 0.004);
}

function adamNamed(name: "adam" | "adamW", options: AdamOptions, defaultDecay?: number): Optimizer {
  knownKeys(options, [...COMMON_OPTIONS, "beta1", "beta2", "epsilon", "amsgrad"], name);
  const { weightDecay = defaultDecay } = options;
  const beta1 = finiteNumber(options.beta1 ?? 0.9, `${name}: beta1`, 0, 1);
  const beta2 = finiteNumber(options.beta2 ?? 0.999, `${name}: beta2`, 0, 1);
  const epsilon = finiteNumber(options.epsilon ?? 1e-7, `${name}: epsilon`, 0);
  const amsgrad = flag(options.amsgrad ?? false, `${name}: amsgrad`);
  return optimizerOf(
    { ...options, weightDecay },
    {
      name,
      config: { beta1, beta2, epsilon, amsgrad },
      slots: (shape) => [{ name: "moments", shape: [amsgrad ? 3 : 2, ...shape] }],
      step: ({ parameter: p, gradient: g, state, slots: { moments }, hyperparameter, add }) => {
        const inputs = { p, g, rate: hyperparameter("learningRate"), state, moments: moments! };
        add(adamOp, inputs, { beta1, beta2, epsilon, amsgrad, decay: weightDecay ?? 0 });
      },
    },
  );
}
