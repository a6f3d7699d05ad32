import { finiteNumber, flag, knownKeys } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { Attributes, TensorId } from "../graph/graph.ts";
import type { Op } from "../graph/op.ts";

export interface OptimizerStep {
  readonly parameter: TensorId;
  readonly gradient: TensorId;
  /** The parameter's slots, in the order of `slots`. */
  readonly slots: readonly TensorId[];
  /** The step's state (`shaders/lib/state.wgsl`): its first word is the number of steps made so far. */
  readonly state: TensorId;
  /** A hyperparameter as a tensor [1]. */
  hyperparameter(name: string): TensorId;
  /** Adds a node. */
  add(op: string, inputs: readonly TensorId[], attributes?: Attributes): readonly TensorId[];
}

/** How parameters follow their gradients. A user's own come through this same door. */
export interface Optimizer {
  readonly name: string;
  /** The options that make it again, as plain JSON: what `saveModel` writes down. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Ops that it brings, beside those of the model's layers. */
  readonly ops?: readonly Op[];
  /** Numbers that live on the GPU, so that changing one compiles nothing. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** State beside each parameter: names and shapes. They start at 0. */
  slots?(parameter: Shape): readonly { readonly name: string; readonly shape: Shape }[];
  /** Adds the nodes that step one parameter. */
  step(step: OptimizerStep): void;
}

/** What an optimizer keeps beside parameters, parameter by parameter: `dense/kernel/momentum`. */
export function slotsOf(
  optimizer: Optimizer | undefined,
  parameters: readonly { readonly path: string; readonly shape: Shape }[],
): { readonly name: string; readonly shape: Shape }[] {
  return parameters.flatMap(({ path, shape }) =>
    (optimizer?.slots?.(shape) ?? []).map((slot) => ({ name: `${path}/${slot.name}`, shape: slot.shape })),
  );
}

export interface SgdOptions {
  /** Default 0.01, as Keras's. */
  readonly learningRate?: number;
  /** Share of the last step that the next one goes on with, at least 0 and below 1. Default 0: none is kept. */
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
  knownKeys(options, ["learningRate", "momentum", "nesterov"], "sgd");
  const learningRate = finiteNumber(options.learningRate ?? 0.01, "sgd: learningRate", 0);
  const momentum = finiteNumber(options.momentum ?? 0, "sgd: momentum", 0, 1);
  const nesterov = flag(options.nesterov ?? false, "sgd: nesterov");
  return {
    name: "sgd",
    config: { learningRate, momentum, nesterov },
    hyperparameters: { learningRate },
    slots: (shape) => (momentum === 0 ? [] : [{ name: "momentum", shape }]),
    step: ({ parameter, gradient, slots, hyperparameter, add }) => {
      add("sgd", [parameter, gradient, hyperparameter("learningRate"), ...slots], {
        MOMENTUM: momentum,
        NESTEROV: nesterov,
      });
    },
  };
}
