import { finiteNumber, flag, knownKeys } from "../base/errors.ts";
import { sgd as sgdOp } from "../ops/updates/sgd.ts";
import { COMMON_OPTIONS, type Optimizer, type OptimizerOptions, optimizerOf } from "./optimizer.ts";

export interface SgdOptions extends OptimizerOptions {
  /** Share of the last step that is added to the next, at least 0 and below 1. Default 0: no step is kept. */
  readonly momentum?: number;
  /** Nesterov's momentum: steps by the gradient once more, after the momentum. Default false. */
  readonly nesterov?: boolean;
}

/**
 * Stochastic gradient descent: p := p - learningRate * dp. With momentum v := momentum * v - learningRate * dp, and then
 * p := p + v or, by Nesterov, p := p + momentum * v - learningRate * dp: Keras's `SGD` (`keras/src/optimizers/sgd.py`).
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  knownKeys(options, [...COMMON_OPTIONS, "momentum", "nesterov"], "sgd");
  const momentum = finiteNumber(options.momentum ?? 0, "sgd: momentum", 0, 1);
  const nesterov = flag(options.nesterov ?? false, "sgd: nesterov");
  const { weightDecay: DECAY = 0 } = options;
  return optimizerOf(
    options,
    {
      name: "sgd",
      config: { momentum, nesterov },
      slots: (shape) => (momentum === 0 ? [] : [{ name: "momentum", shape }]),
      step: ({ parameter: p, gradient: g, slots: { momentum: v }, hyperparameter, add }) => {
        const inputs = { p, g, rate: hyperparameter("learningRate"), v };
        add(sgdOp, inputs, { MOMENTUM: momentum, NESTEROV: nesterov, DECAY });
      },
    },
    0.01,
  );
}
