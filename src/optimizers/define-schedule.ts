import { aFunction, anObject, aWord, cut, FeaturemapError } from "../base/errors.ts";
import { elements, showShape } from "../base/shape.ts";
import type { TensorId } from "../graph/tensor.ts";
import type { Optimizer, Schedule } from "./optimizer.ts";

/**
 * Makes a schedule of an app's own: `rate` adds the nodes that compute the learning rate of a step, once a step.
 *
 * @throws FeaturemapError `value` unless it is an object with a `name` and a `rate`; as plans are made, where `rate` returns no
 *   tensor [1]
 * @example
 * // The rate falls by 1 / (t + 1), t the steps made so far.
 * const harmonic = defineSchedule({ name: "harmonic", rate: ({ state, add }) => add(harmonicRate, { state }).rate });
 * const optimizer = sgd({ learningRate: harmonic });
 */
export function defineSchedule(schedule: Omit<Schedule, "follow">): Schedule {
  const where = "defineSchedule";
  const { name, config, rate } = anObject(schedule, `${where}: schedule`);
  aWord(name, `${where}: name`);
  aFunction(rate, `${where}: rate`);
  const known = config === undefined ? {} : { config: { ...anObject(config, `${where}: config`) } };
  const made: Schedule = { name, ...known, rate, follow: (optimizer) => following(made, optimizer) };
  return made;
}

function following(schedule: Schedule, optimizer: Optimizer): Optimizer {
  const { learningRate: _, ...hyperparameters } = optimizer.hyperparameters;
  const { name, config = {} } = schedule;
  return {
    ...optimizer,
    hyperparameters,
    ...(optimizer.config && { config: { ...optimizer.config, learningRate: { name, config } } }),
    schedules: { learningRate: schedule },
    begin: (call) => {
      const { batches: state = call.state, add } = call;
      const learningRate = schedule.rate({ state, add });
      return { ...optimizer.begin?.(rated(call, learningRate)), learningRate };
    },
    step: (call) => {
      const { learningRate } = call.shared;
      const shape = call.shapeOf(learningRate!);
      if (elements(shape) !== 1) {
        const got = `one of shape ${showShape(shape)}`;
        throw new FeaturemapError("shape", `Schedule "${cut(name)}": rate() must return a tensor [1], got ${got}.`);
      }
      optimizer.step(rated(call, learningRate!));
    },
  };
}

/** Puts a tensor in the place of the hyperparameter `learningRate`. */
function rated<Call extends { hyperparameter(name: string): TensorId }>(call: Call, learningRate: TensorId): Call {
  return { ...call, hyperparameter: (name) => (name === "learningRate" ? learningRate : call.hyperparameter(name)) };
}
