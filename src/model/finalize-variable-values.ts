import { FeaturemapError } from "../base/errors.ts";
import { assertModel, INTERNALS, internalsOf, type WithInternals } from "./internals.ts";

/**
 * Ends the training of a model, as `fit` does by itself: weights become their averages, if its optimizer keeps them (`withEma`). It is
 * for training by `trainOnBatch` or by an app's own encoder. Keras's `optimizer.finalize_variable_values(model.trainable_variables)`.
 *
 * Nothing changes for another optimizer, or before the first step.
 *
 * @throws FeaturemapError `value` for something that is no model; `state` where it is not compiled for training, or trains
 * @example
 * for (const [x, y] of batches) await model.trainOnBatch(x, y);
 * await finalizeVariableValues(model);
 */
export async function finalizeVariableValues(model: WithInternals): Promise<void> {
  const where = "finalizeVariableValues";
  assertModel(model, where);
  await model[INTERNALS].exclusive(where, async () => {
    const { compiled } = await internalsOf(model, where);
    const { training } = compiled.settings;
    if (!training)
      throw new FeaturemapError(
        "state",
        `${where}: the model was compiled to predict. Give compile() loss and optimizer.`,
      );
    await training.optimizer.finish?.(compiled);
  });
}
