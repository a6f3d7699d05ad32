import { finiteNumber, knownKeys } from "../base/errors.ts";
import { adadelta as adadeltaOp } from "../ops/updates/adadelta.ts";
import { COMMON_OPTIONS, type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";

export interface AdadeltaOptions extends OptimizerOptions {
  /** Share of both means that is kept from step to step, at least 0 and below 1. Default 0.95. */
  readonly rho?: number;
  /** Keeps the divisor above 0, and begins the changes. Default 1e-7. */
  readonly epsilon?: number;
}

/**
 * Adadelta, as Keras has it (`keras/src/optimizers/adadelta.py`). The paper's learning rate is 1, Keras's default 0.001.
 *
 * ```
 * a := rho a + (1 - rho) dp^2          d = dp sqrt(b + epsilon) / sqrt(a + epsilon)
 * b := rho b + (1 - rho) d^2           p := p - learningRate d
 * ```
 *
 * It keeps a and b beside each parameter.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  knownKeys(options, [...COMMON_OPTIONS, "rho", "epsilon"], "adadelta");
  const rho = finiteNumber(options.rho ?? 0.95, "adadelta: rho", 0, 1);
  const epsilon = finiteNumber(options.epsilon ?? 1e-7, "adadelta: epsilon", 0);
  const { weightDecay: decay = 0 } = options;
  return optimizerOf(options, {
    name: "adadelta",
    config: { rho, epsilon },
    slots: (shape) => [{ name: "averages", shape: [2, ...shape] }],
    step: ({ parameter: p, gradient: g, slots: { averages }, hyperparameter, add }) => {
      add(adadeltaOp, { p, g, rate: hyperparameter("learningRate"), averages: averages! }, { rho, epsilon, decay });
    },
  });
}
