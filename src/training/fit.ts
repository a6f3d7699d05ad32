import type { Feed } from "../program/feed.ts";
import type { Lifetime } from "../program/lifetime.ts";
import type { Figures } from "../program/measures.ts";
import { type Bookmark, orderSeed, type Training } from "./bookmark.ts";
import type { TrainedModel, TrainingParams } from "./callback.ts";
import { epochLogger } from "./epoch-logger.ts";
import { batching, type FitOptions } from "./fit-options.ts";
import type { History, Logs } from "./history.ts";
import type { Hooks } from "./hooks.ts";
import type { ParameterCheck } from "./parameter-check.ts";
import type { Stop, SweepSettings } from "./sweep.ts";
import type { Trainer } from "./trainer.ts";
import type { VariableAccess } from "./variable-access.ts";
import { batchHooks, evaluateWith, withCallbacks } from "./with-callbacks.ts";

/** Compiled model, as `fit` uses it. */
export interface FitTarget {
  readonly lifetime: Lifetime;
  readonly variables: VariableAccess;
  trainer(feed: Feed, settings: SweepSettings): Promise<Trainer>;
  evaluate(feed: Feed, settings: SweepSettings): Promise<Figures | undefined>;
}

export interface FitCall {
  readonly model: TrainedModel;
  readonly compiled: FitTarget;
  readonly feed: Feed;
  readonly validation: Feed | undefined;
  readonly options: FitOptions<unknown>;
  readonly training: Training;
  /** Place where training begins. It moves on as training goes. */
  readonly bookmark: Bookmark;
}

/** Runs `fit` in Keras's order of events: epoch begin, steps, validation, epoch end. A `signal` ends it between two submits. */
export async function runFit(call: FitCall): Promise<History> {
  const { model, compiled, feed, options, training, bookmark } = call;
  const { verbose = "auto", epochs = 1, signal } = options;
  const callbacks = [...(verbose ? [epochLogger()] : []), ...(options.callbacks ?? [])];
  const { batchSize } = bookmark.recipe;
  const params: TrainingParams = { epochs, steps: Math.ceil(feed.dataset.size / batchSize), batchSize };
  training.stop = false;
  return withCallbacks({ model, lifetime: compiled.lifetime, callbacks, signal, params }, async (hooks) => {
    try {
      return await train(call, params, hooks);
    } finally {
      training.stopped = undefined;
      training.trainer?.dispose();
      training.trainer = undefined;
    }
  });
}

async function train(call: FitCall, params: TrainingParams, hooks: Hooks): Promise<History> {
  const { compiled, feed, validation, options, training, bookmark } = call;
  const { epochsBefore } = bookmark;
  const { shuffle, seed } = bookmark.recipe;
  const { epochs, steps, batchSize } = params;
  const { pause, signal, validationBatchSize = batchSize, validationFreq = 1 } = options;
  const batches = { ...batching(options, "fit"), batchSize };
  const stop: Stop = {
    get aborted() {
      return signal?.aborted === true || training.stop;
    },
  };
  const stopped = new Promise<void>((resolve) => {
    training.stopped = resolve;
  });
  const gate = pause?.gate(() => Promise.race([compiled.lifetime.ended, stopped]), stop, signal);
  const validate = (held: Feed) =>
    evaluateWith(
      hooks,
      (settings) => {
        const run = (stop: Stop) =>
          compiled.evaluate(held, { ...batches, ...settings, batchSize: validationBatchSize, signal: stop });
        return gate ? gate.uninterrupted(run, held.dataset.size) : run(stop);
      },
      () => stop.aborted,
    );
  const trainer = await compiled.trainer(feed, {
    ...batches,
    ...batchHooks(hooks, "Train"),
    signal: stop,
    pause: gate,
  });
  training.bookmark = bookmark;
  training.trainer = trainer;
  gate?.enter();
  let parameterCheck: ParameterCheck | undefined;
  try {
    let warned = false;
    await hooks.call((callback) => callback.onTrainBegin?.(params));
    while (bookmark.epoch < epochs && !stop.aborted) {
      const { epoch } = bookmark;
      await hooks.call((callback) => callback.onEpochBegin?.(epoch));
      // Damage by an earlier epoch's last step shows in the next one's loss.
      if (epoch + 1 === epochs) parameterCheck = await compiled.variables.prepareParameterCheck();
      const order = shuffle ? orderSeed(seed, epochsBefore + epoch) : undefined;
      const metrics = await trainer.epoch(order, {
        from: bookmark.steps,
        onSubmitted: (steps) => bookmark.submitted(steps),
        last: parameterCheck?.record,
      });
      training.epochs = epochsBefore + epoch + 1;
      if (metrics?.badStep && !warned && !training.stop) {
        warned = true;
        warn(epoch, `the loss is ${metrics.logs.loss} from step ${metrics.badStep} of ${steps} on`);
      }
      if (!metrics || stop.aborted) break;
      const heldOut = validation && isDue(epoch, validationFreq) ? await validate(validation) : undefined;
      if (stop.aborted) break;
      const validationLogs = Object.entries(heldOut?.logs ?? {}).map(([name, value]) => [`val_${name}`, value]);
      const epochLogs: Logs = { ...metrics.logs, ...Object.fromEntries(validationLogs) };
      bookmark.endEpoch(epochLogs);
      const path = warned ? undefined : await parameterCheck?.badParameter();
      if (path) warn(epoch, `its last step made ${path} a NaN or infinite`);
      await hooks.call((callback) => {
        const running = callback.onEpochEnd?.(epoch, epochLogs);
        const extend = () => bookmark.history.extend(epochLogs);
        return running ? Promise.resolve(running).then(extend) : extend();
      });
    }
    await hooks.call((callback) => callback.onTrainEnd?.(bookmark.history));
    return bookmark.history;
  } finally {
    parameterCheck?.release();
    gate?.leave();
  }
}

/** Tells whether an epoch, counted from 0, is validated. */
function isDue(epoch: number, every: number | readonly number[]): boolean {
  return typeof every === "number" ? (epoch + 1) % every === 0 : every.includes(epoch + 1);
}

function warn(epoch: number, what: string): void {
  const remedy = "callbacks: [terminateOnNaN()] stops there, keeps the weights of before, and names the layer";
  console.warn(`fit: epoch ${epoch + 1}: ${what}. ${remedy}.`);
}
