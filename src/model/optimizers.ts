import { finiteNumber, knownKeys } from "../errors.ts";
import type { Attributes, TensorId } from "../graph/graph.ts";
import type { Op } from "../graph/op.ts";
import type { Shape } from "../shape.ts";

export interface OptimizerStep {
  readonly parameter: TensorId;
  readonly gradient: TensorId;
  /** The parameter's slots, in the order of `slots`. */
  readonly slots: readonly TensorId[];
  /** A hyperparameter as a tensor [1]. */
  hyperparameter(name: string): TensorId;
  /** Adds a node. */
  add(op: string, inputs: readonly TensorId[], attributes?: Attributes): readonly TensorId[];
}

/** How parameters follow their gradients. A user's own come through this same door. */
export interface Optimizer {
  readonly name: string;
  /** Ops that it brings, beside those of the model's layers. */
  readonly ops?: readonly Op[];
  /** Numbers that live on the GPU, so that changing one compiles nothing. */
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** State beside each parameter: names and shapes. They start at 0. */
  slots?(parameter: Shape): readonly { readonly name: string; readonly shape: Shape }[];
  /** Adds the nodes that step one parameter. */
  step(step: OptimizerStep): void;
}

export interface SgdOptions {
  /** Default 0.01, as Keras's. */
  readonly learningRate?: number;
}

/**
 * Stochastic gradient descent: p := p - learningRate * dp.
 *
 * @throws FeaturemapError `value` where the learning rate is not a finite number of at least 0
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  knownKeys(options, ["learningRate"], "sgd");
  const learningRate = finiteNumber(options.learningRate ?? 0.01, "sgd: learningRate", 0);
  return {
    name: "sgd",
    hyperparameters: { learningRate },
    step: ({ parameter, gradient, hyperparameter, add }) => {
      add("sgd", [parameter, gradient, hyperparameter("learningRate")]);
    },
  };
}
