import type { FittedModel } from "../optimizers/optimizer.ts";
import type { CompileSettings } from "../program/compile-settings.ts";
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
import type { EpochTrainer } from "./trainer.ts";
import type { VariableAccess } from "./variable-access.ts";
import { batchHooks, evaluateWith, withCallbacks } from "./with-callbacks.ts";

/** Data that are evaluated after epochs. */
export interface HeldOut {
  /** Number of samples, if it is known. */
  readonly samples: number | undefined;
  evaluate(settings: SweepSettings): Promise<Figures | undefined>;
  dispose?(): void;
}

export interface FitCall {
  readonly model: TrainedModel;
  /** Compiled model, as `fit` uses it. */
  readonly compiled: FittedModel & {
    readonly lifetime: Lifetime;
    readonly variables: VariableAccess;
    readonly settings: CompileSettings;
  };
  /** Steps of an epoch. It may become known as training goes. */
  readonly steps: number | undefined;
  /** Prepares training on the data. */
  trainer(settings: SweepSettings): Promise<EpochTrainer>;
  readonly validation: HeldOut | undefined;
  readonly options: FitOptions<unknown>;
  readonly training: Training;
  /** Place where training begins. It moves on as training goes. */
  readonly bookmark: Bookmark;
}

/** Runs `fit` in Keras's order of events: epoch begin, steps, validation, epoch end. A `signal` ends it between two submits. */
export async function runFit(call: FitCall): Promise<History> {
  const { model, compiled, validation, options, training, bookmark } = call;
  const { verbose = "auto", epochs = 1, signal } = options;
  const callbacks = [...(verbose ? [epochLogger()] : []), ...(options.callbacks ?? [])];
  const { batchSize } = bookmark.recipe;
  const params: TrainingParams = {
    epochs,
    batchSize,
    get steps() {
      return call.steps;
    },
  };
  training.stop = false;
  return withCallbacks({ model, lifetime: compiled.lifetime, callbacks, signal, params }, async (hooks) => {
    try {
      return await train(call, params, hooks);
    } finally {
      training.stopped = undefined;
      training.trainer = undefined;
      validation?.dispose?.();
    }
  });
}

async function train(call: FitCall, params: TrainingParams, hooks: Hooks): Promise<History> {
  const { compiled, validation, options, training, bookmark } = call;
  const { epochsBefore } = bookmark;
  const { shuffle, seed } = bookmark.recipe;
  const { epochs, batchSize } = params;
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
  const validate = (held: HeldOut) =>
    evaluateWith(
      hooks,
      (settings) => {
        const run = (stop: Stop) =>
          held.evaluate({ ...batches, ...settings, batchSize: validationBatchSize, signal: stop });
        return gate && held.samples !== undefined ? gate.uninterrupted(run, held.samples) : run(stop);
      },
      () => stop.aborted,
    );
  const trainer = await call.trainer({
    ...batches,
    ...batchHooks(hooks, "Train"),
    signal: stop,
    pause: gate,
  });
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
        warn(epoch, `the loss is ${metrics.logs.loss} from step ${metrics.badStep} of ${params.steps} on`);
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
      if (trainer.exhausted) break;
    }
    await compiled.settings.training!.optimizer.finish?.(compiled, signal);
    await hooks.call((callback) => callback.onTrainEnd?.(bookmark.history));
    return bookmark.history;
  } finally {
    parameterCheck?.release();
    trainer.dispose();
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
