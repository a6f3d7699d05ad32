import { anObject, cut, FeaturemapError, finiteNumber, knownKeys } from "../base/errors.ts";
import { INTERNALS, internalsOf, type WithInternals } from "./internals.ts";

/**
 * Gives the optimizer's hyperparameters by name: `{ learningRate: 0.01 }`. One that follows a schedule is not among them: the GPU alone
 * knows it. It is empty if the model was compiled without a loss.
 *
 * @throws FeaturemapError `state` where the model is not compiled, or disposed
 */
export async function getHyperparameters(model: WithInternals): Promise<Record<string, number>> {
  const { compiled } = await internalsOf(model, "getHyperparameters");
  return { ...compiled.variables.store.rates };
}

/**
 * Changes the optimizer's hyperparameters, also while the model trains: from the next submit on. It compiles nothing. In a callback it
 * is Keras's `LearningRateScheduler`: `onEpochBegin: (epoch) => setHyperparameters(model, { learningRate: 0.1 * 0.9 ** epoch })`.
 * The values last until the model is compiled again.
 *
 * @throws FeaturemapError `value` for no object, a name that the optimizer does not have, or one that follows a schedule, or a value that is not a finite number of at
 *   least 0; `state` if the model is not compiled, or disposed. Then nothing has changed.
 */
export async function setHyperparameters(
  model: WithInternals,
  values: Readonly<Record<string, number>>,
): Promise<void> {
  const where = "setHyperparameters";
  // Something without names may be no object of options at all.
  if (Object.keys(anObject(values, `${where}: values`)).length === 0) knownKeys(values, ["numbers by name"], where);
  // The caller may go on to change the object.
  const given = { ...values };
  const { compiled } = await internalsOf(model, where);
  for (const [name, schedule] of Object.entries(compiled.settings.training?.optimizer.schedules ?? {})) {
    if (!Object.hasOwn(given, name)) continue;
    const remedy = "compile with a number as its value to set it";
    throw new FeaturemapError("value", `${where}: ${name} follows the schedule "${cut(schedule.name)}": ${remedy}.`);
  }
  const known = Object.keys(compiled.variables.store.rates);
  knownKeys(given, known, `${where}: optimizer "${compiled.settings.training?.optimizer.name ?? "none"}"`);
  for (const [name, value] of Object.entries(given)) finiteNumber(value, `${where}: ${name}`, 0);
  await model[INTERNALS].write(where, () => compiled.variables.setRates(given));
}
