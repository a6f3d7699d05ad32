import { aFunction, finiteNumber, knownKeys, oneOf } from "../base/errors.ts";
import type { Model } from "../model/model.ts";
import type { Callback } from "../training/callback.ts";
import { learningRateOf, setLearningRate } from "./learning-rate.ts";

/**
 * Sets the learning rate at each epoch's begin: Keras's `LearningRateScheduler`
 * (`keras/src/callbacks/learning_rate_scheduler.py`). The history gets the figure `learningRate`.
 *
 * @param schedule Gives the rate for an epoch, counted from 0, out of the rate so far.
 * @param options `verbose`: 1 prints each rate. Default 0.
 * @example
 * const halving = learningRateScheduler((epoch, rate) => (epoch < 10 ? rate : rate / 2));
 * @throws FeaturemapError `value` for something that is no function, and in `fit` for a rate that is no number of at least 0;
 *   `state` where the optimizer has no learning rate
 */
export function learningRateScheduler(
  schedule: (epoch: number, learningRate: number) => number,
  options: { readonly verbose?: 0 | 1 } = {},
): Callback {
  const where = "learningRateScheduler";
  aFunction(schedule, `${where}: schedule`);
  knownKeys(options, ["verbose"], where);
  const verbose = oneOf(options.verbose ?? 0, [0, 1], `${where}: verbose`);
  let model: Model;
  return {
    setModel: (its: Model) => {
      model = its;
    },
    onEpochBegin: async (epoch) => {
      const rate = finiteNumber(schedule(epoch, await learningRateOf(model, where)), `${where}: schedule`, 0);
      await setLearningRate(model, rate);
      if (verbose) console.log(`\nEpoch ${epoch + 1}: LearningRateScheduler setting learning rate to ${rate}.`);
    },
    onEpochEnd: async (_, logs) => {
      logs.learningRate = await learningRateOf(model, where);
    },
  };
}
