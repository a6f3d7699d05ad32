import { finiteNumber, knownKeys } from "../base/errors.ts";
import { adagrad as adagradOp } from "../ops/updates/adagrad.ts";
import { COMMON_OPTIONS, type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";

export interface AdagradOptions extends OptimizerOptions {
  /** First value of the sum of squares. Default 0.1. */
  readonly initialAccumulatorValue?: number;
  /** Keeps the divisor above 0. Default 1e-7. */
  readonly epsilon?: number;
}

/**
 * Adagrad, as Keras has it (`keras/src/optimizers/adagrad.py`): s := s + dp^2, p := p - learningRate dp / sqrt(s + epsilon).
 * It keeps one number beside each number of a parameter: s less `initialAccumulatorValue`.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  knownKeys(options, [...COMMON_OPTIONS, "initialAccumulatorValue", "epsilon"], "adagrad");
  const initial = finiteNumber(options.initialAccumulatorValue ?? 0.1, "adagrad: initialAccumulatorValue", 0);
  const epsilon = finiteNumber(options.epsilon ?? 1e-7, "adagrad: epsilon", 0);
  const { weightDecay: decay = 0 } = options;
  return optimizerOf(options, {
    name: "adagrad",
    config: { initialAccumulatorValue: initial, epsilon },
    slots: (shape) => [{ name: "accumulator", shape }],
    step: ({ parameter: p, gradient: g, slots: { accumulator }, hyperparameter, add }) => {
      const rate = hyperparameter("learningRate");
      add(adagradOp, { p, g, rate, s: accumulator! }, { offset: initial + epsilon, decay });
    },
  });
}
