import { assertMadeBy, cut, FeaturemapError, finiteNumber, knownKeys, positiveInteger, wrong } from "../base/errors.ts";
import { inErrorScope } from "../gpu/error-scope.ts";
import { stepState } from "../graph/step-state.ts";
import { movingAverage } from "../ops/updates/moving-average.ts";
import type { FittedModel, Optimizer } from "./optimizer.ts";

export interface EmaOptions {
  /** Share of the average that is kept from step to step, from 0 to 1. Default 0.99. */
  readonly momentum?: number | undefined;
  /** Updates after each of which the weights become their averages. Default: never while training runs. */
  readonly overwriteFrequency?: number | undefined;
}

/** Name of the slot that holds a parameter's average. */
const SLOT = "average";

/**
 * Makes an optimizer keep a moving average of each weight that it trains, an EMA: Keras's `use_ema`, `ema_momentum` and
 * `ema_overwrite_frequency` (`keras/src/optimizers/base_optimizer.py`). After each step:
 *
 * ```
 * average := momentum average + (1 - momentum) w        average := w in the first step
 * ```
 *
 * As `fit` ends, the weights become their averages (Keras's `finalize_variable_values`), before `onTrainEnd`. Until then,
 * `evaluate`, `predict`, validation and callbacks see the weights themselves, as in Keras. A second `fit` goes on from the averages.
 *
 * - A `fit` that a signal has stopped leaves the weights as they are, so that `resume` goes on to the same bits. One that a callback has
 *   stopped ends as any other.
 * - `trainOnBatch` and recorded steps never end: `finalizeVariableValues` gives the model its averages.
 * - The averages are taken before a layer's constraint, as in Keras, and are not constrained.
 * - Under `withGradientAccumulation`, in either order, the average moves at each step, also between updates. `overwriteFrequency` counts
 *   updates, and weights are overwritten in each step of such an update. Both are Keras's.
 * - The averages are slots: snapshots and checkpoints keep them, `saveModel` does not.
 *
 * @throws FeaturemapError `value` for something that is no optimizer, one that has averages already, or an option that is unknown or out
 *   of range
 * @example
 * await model.compile({ loss: "sparseCategoricalCrossentropy", optimizer: withEma(adam(), { momentum: 0.999 }) });
 */
export function withEma(optimizer: Optimizer, options: EmaOptions = {}): Optimizer {
  const where = "withEma";
  assertMadeBy(typeof optimizer?.step === "function", optimizer, `${where}: optimizer`, "sgd() and its like");
  knownKeys(options, ["momentum", "overwriteFrequency"], where);
  const momentum = finiteNumber(options.momentum ?? 0.99, `${where}: momentum`, 0);
  if (momentum > 1) throw wrong(`${where}: momentum`, "be at most 1", momentum);
  const { overwriteFrequency } = options;
  const overwrite =
    overwriteFrequency === undefined ? 0 : positiveInteger(overwriteFrequency, `${where}: overwriteFrequency`, 31);
  if (optimizer.stepped)
    throw new FeaturemapError("value", `${where}: optimizer "${cut(optimizer.name)}" keeps averages already.`);
  const ema = { momentum, ...(overwrite > 0 && { overwriteFrequency: overwrite }) };
  return {
    ...optimizer,
    ...(optimizer.config && { config: { ...optimizer.config, withEma: ema } }),
    slots: (shape) => [...(optimizer.slots?.(shape) ?? []), { name: SLOT, shape }],
    // `this` may be wrapped once more, and then have more steps an update than `optimizer` has.
    stepped({ state, parameter: p, slots: { [SLOT]: average }, add }) {
      const { stepsPerUpdate: steps = 1 } = this;
      if (average !== undefined) add(movingAverage, { state, p, average }, { momentum, overwrite, steps });
    },
    finish: toAverages,
  };
}

/** Copies the averages to the weights, on the GPU, in order with reads and writes of the model. */
async function toAverages({ settings, variables }: FittedModel, signal?: { readonly aborted: boolean }): Promise<void> {
  // What was stopped goes on from the weights themselves.
  if (signal?.aborted) return;
  const { store } = variables;
  const averages = new Map(store.of("slot").map(({ variable, buffer }) => [variable.path, buffer]));
  const copies = store.of("parameter").flatMap(({ variable: { path }, buffer }) => {
    const average = averages.get(`${path}/${SLOT}`);
    return average ? [{ from: average, to: buffer }] : [];
  });
  const [state] = await variables.read(store.of("state"));
  if (stepState().read(state!).step === 0) return;
  const { runtime } = settings;
  await variables.rewind(() =>
    inErrorScope(runtime, "averages of weights", () => {
      const encoder = runtime.device.createCommandEncoder({ label: "averages of weights" });
      for (const { from, to } of copies) encoder.copyBufferToBuffer(from, 0, to, 0, to.size);
      runtime.device.queue.submit([encoder.finish()]);
    }),
  );
}
