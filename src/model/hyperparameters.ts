import { finiteNumber, knownKeys } from "../errors.ts";
import { insideOf } from "./inside.ts";
import type { Sequential } from "./sequential.ts";

/**
 * What the optimizer steps by now, by name: `{ learningRate: 0.01 }`; empty where the model was compiled without one.
 *
 * @throws FeaturemapError `state` where the model is not compiled, or disposed
 */
export async function getHyperparameters(model: Sequential): Promise<Record<string, number>> {
  const { compiled } = await insideOf(model, "getHyperparameters");
  return { ...compiled.state.hyperparameters };
}

/**
 * Changes what the optimizer steps by, also while the model trains: from the next submit on. Compiles nothing. In a callback it
 * is Keras's `LearningRateScheduler`: `onEpochBegin: (epoch) => setHyperparameters(model, { learningRate: 0.1 * 0.9 ** epoch })`.
 * They last until the model is compiled again.
 *
 * @throws FeaturemapError `value` for a name that the optimizer does not have, or a value that is not a finite number of at
 *   least 0, and then nothing is changed; `state` where the model is not compiled, or disposed
 */
export async function setHyperparameters(model: Sequential, values: Readonly<Record<string, number>>): Promise<void> {
  // The caller may go on to change the object.
  const given = typeof values === "object" ? { ...values } : values;
  const { compiled } = await insideOf(model, "setHyperparameters");
  const known = Object.keys(compiled.state.hyperparameters);
  knownKeys(given, known, `setHyperparameters: optimizer "${compiled.settings.optimizer?.name ?? "none"}"`);
  for (const [name, value] of Object.entries(given)) finiteNumber(value, `setHyperparameters: ${name}`, 0);
  await model.inside.write("setHyperparameters", () => compiled.setHyperparameters(given));
}
