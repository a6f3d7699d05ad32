import { FeaturemapError } from "../base/errors.ts";
import { getHyperparameters, setHyperparameters } from "../model/hyperparameters.ts";
import type { WithInternals } from "../model/internals.ts";

/** Gives the learning rate. @throws FeaturemapError `state` where the optimizer has none to change */
export async function learningRateOf(model: WithInternals, where: string): Promise<number> {
  const { learningRate } = await getHyperparameters(model);
  if (learningRate !== undefined) return learningRate;
  throw new FeaturemapError("state", `${where}: the model's optimizer has no hyperparameter "learningRate".`);
}

/** Changes the learning rate, from the next submit on. */
export function setLearningRate(model: WithInternals, learningRate: number): Promise<void> {
  return setHyperparameters(model, { learningRate });
}
