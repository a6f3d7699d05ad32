import { knownKeys, optionalText } from "../base/errors.ts";
import { isSymbolic, type SymbolicTensor } from "../layers/layer.ts";
import { networkArchitecture } from "../network/architecture.ts";
import { networkOf, type Symbolics } from "../network/functional.ts";
import { Model } from "./model.ts";
import type { Prediction } from "./run-types.ts";

export interface ModelOptions<Outputs extends Symbolics = Symbolics> {
  /** Symbolic tensors from `input()`: one, several, or several by name. */
  readonly inputs: Symbolics;
  /**
   * Symbolic tensors that layers make of them, or inputs. Outputs are named by their keys, or in a list by what makes them: `dense`, and
   * `dense_1` if that is there already.
   */
  readonly outputs: Outputs;
  /** Name of the model. Default: `model`. */
  readonly name?: string;
}

/** Prediction of a model with such outputs. */
export type PredictionOf<Outputs> = Outputs extends SymbolicTensor
  ? Prediction
  : Outputs extends readonly SymbolicTensor[]
    ? Record<string, Prediction>
    : { [Name in keyof Outputs]: Prediction };

/**
 * Makes a model of layers that branch, join and are shared, with several inputs and outputs: Keras's functional API.
 *
 * @throws FeaturemapError `value` for something that is no symbolic tensor, or leads nowhere; `shape` if layers do not fit together
 * @example
 * const image = input({ shape: [28, 28, 1] });
 * const features = dense({ units: 32, activation: "relu" })(flatten()(image));
 * const digit = dense({ units: 10, activation: "softmax" })(features);
 * const parity = dense({ units: 2, activation: "softmax" })(features);
 * const both = model({ inputs: image, outputs: { digit, parity } });
 * await both.compile({
 *   loss: { digit: "sparseCategoricalCrossentropy", parity: "sparseCategoricalCrossentropy" },
 *   lossWeights: { parity: 0.5 },
 *   optimizer: sgd(),
 * });
 */
export function model<const Outputs extends Symbolics>(options: ModelOptions<Outputs>): Model<PredictionOf<Outputs>> {
  knownKeys(options, ["inputs", "outputs", "name"], "model");
  const { inputs, outputs } = options;
  const name = optionalText(options.name, "model: name") ?? "model";
  return new Model(networkArchitecture(networkOf(inputs, outputs), isSymbolic(outputs)), name);
}
