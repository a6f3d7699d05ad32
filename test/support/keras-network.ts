import { fromConfig, type Model, type ModelConfig } from "../../src/index.ts";
import type { Drawn, NamedDrawn, Written } from "./keras-golden.ts";
import { buildLoss } from "./keras-loss.ts";

/** What `test/golden/keras/networks.py` wrote of a network. */
export interface NetworkCase {
  readonly name: string;
  readonly model: ModelConfig;
  /** All samples. Each step takes the next `batch` of them, from the first again after the last. */
  readonly x: Drawn;
  readonly y: Drawn;
  readonly batch: number;
  readonly rate: number;
  readonly weights: readonly NamedDrawn[];
  readonly losses: readonly number[];
  /** Largest share by which a loss moves in runs of Keras's from weights that are perturbed by 1e-6. */
  readonly spread: number;
  /** Weights after the steps, and what they say of all samples and of the first batch. */
  readonly after: readonly Written[];
  readonly evaluated: number;
  readonly predicted: Written;
}

/** Makes the model. @throws FeaturemapError where the library lacks one of its layers, or its loss of such outputs */
export function networkModel({ model, predicted, y, batch }: NetworkCase): Model {
  const made = fromConfig(model);
  const loss = { className: "CategoricalCrossentropy", config: {} };
  const labels = { shape: [batch, ...y.shape.slice(1)] };
  buildLoss({ loss, activation: "softmax", output: predicted, labels });
  return made;
}
