import { anObject, finiteNumber, knownKeys } from "../base/errors.ts";
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
 * @throws FeaturemapError and changes nothing. `value`: no object, a name that the optimizer does not have, or a value that is not a
 *   finite number of at least 0. `state`: the model is not compiled, or disposed.
 */
export async function setHyperparameters(model: Sequential, values: Readonly<Record<string, number>>): Promise<void> {
  const where = "setHyperparameters";
  // What has none may be no object of names at all.
  if (Object.keys(anObject(values, `${where}: values`)).length === 0) knownKeys(values, ["numbers by name"], where);
  // The caller may go on to change the object.
  const given = { ...values };
  const { compiled } = await insideOf(model, where);
  const known = Object.keys(compiled.state.hyperparameters);
  knownKeys(given, known, `${where}: optimizer "${compiled.settings.optimizer?.name ?? "none"}"`);
  for (const [name, value] of Object.entries(given)) finiteNumber(value, `${where}: ${name}`, 0);
  await model.inside.write(where, () => compiled.setHyperparameters(given));
}
