import { finiteNumber, flag, knownKeys } from "../base/errors.ts";
import { rmsprop as rmspropOp } from "../ops/updates/rmsprop.ts";
import { COMMON_OPTIONS, type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";

export interface RmspropOptions extends OptimizerOptions {
  /** Share of the mean of the gradients' squares that is kept from step to step, at least 0 and below 1. Default 0.9. */
  readonly rho?: number;
  /** Share of the last step that is added to the next, at least 0 and below 1. Default 0: no step is kept. */
  readonly momentum?: number;
  /** Keeps the divisor above 0. Default 1e-7. */
  readonly epsilon?: number;
  /** Whether to divide by the gradients' variance: the mean of their squares less the square of their mean. Default false. */
  readonly centered?: boolean;
}

/**
 * RMSprop, as Keras has it (`keras/src/optimizers/rmsprop.py`):
 *
 * ```
 * v := rho v + (1 - rho) dp^2          p := p - learningRate dp / sqrt(v + epsilon)
 * ```
 *
 * `centered` keeps a := rho a + (1 - rho) dp and takes v - a^2 in the place of v. With `momentum`, m := momentum m + s and
 * p := p - m, where s is what p would lose without momentum. It keeps v beside each parameter, and a and m if they are needed.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  knownKeys(options, [...COMMON_OPTIONS, "rho", "momentum", "epsilon", "centered"], "rmsprop");
  const rho = finiteNumber(options.rho ?? 0.9, "rmsprop: rho", 0, 1);
  const momentum = finiteNumber(options.momentum ?? 0, "rmsprop: momentum", 0, 1);
  const epsilon = finiteNumber(options.epsilon ?? 1e-7, "rmsprop: epsilon", 0);
  const centered = flag(options.centered ?? false, "rmsprop: centered");
  const kept = ["velocity", ...(momentum > 0 ? ["momentum"] : []), ...(centered ? ["averageGradient"] : [])];
  const { weightDecay = 0 } = options;
  return optimizerOf(options, {
    name: "rmsprop",
    config: { rho, momentum, epsilon, centered },
    slots: (shape) => kept.map((name) => ({ name, shape })),
    step: ({ parameter: p, gradient: g, slots, hyperparameter, add }) => {
      const rate = hyperparameter("learningRate");
      const inputs = { p, g, rate, v: slots.velocity!, m: slots.momentum, a: slots.averageGradient };
      add(rmspropOp, inputs, { rho, momentum, epsilon, centered, decay: weightDecay });
    },
  });
}
