import type { Dataset } from "../data/dataset.ts";
import { type Bookmark, orderSeed, type Training } from "../training/bookmark.ts";
import { type Callback, GUARD } from "../training/callback.ts";
import { epochLogger } from "../training/epoch-logger.ts";
import { batching, type FitOptions } from "../training/fit-options.ts";
import { type History, type Logs, logsOf } from "../training/history.ts";
import { Hooks } from "../training/hooks.ts";
import type { SweepMetrics } from "../training/metrics-reader.ts";
import type { ParameterLook } from "../training/parameter-look.ts";
import type { Stop } from "../training/sweep.ts";
import type { CompiledModel } from "./compiled.ts";
import type { Sequential } from "./sequential.ts";

/** One side of `fit`: data on the GPU and what its numbers are multiplied by. */
export interface ScaledDataset {
  readonly dataset: Dataset;
  readonly scale: number;
}

export interface FitCall {
  readonly model: Sequential;
  readonly compiled: CompiledModel;
  readonly data: ScaledDataset;
  readonly validation: ScaledDataset | undefined;
  readonly options: FitOptions<unknown>;
  readonly training: Training;
  /** Where to begin; kept up to date. */
  readonly bookmark: Bookmark;
}

/** Keras's order of events: epoch begin, steps, validation, epoch end. A `signal` ends it between two submits. */
export async function runFit(call: FitCall): Promise<History> {
  const { model, compiled, options, training } = call;
  const { verbose = 1, signal } = options;
  const callbacks = [...(verbose ? [epochLogger()] : []), ...(options.callbacks ?? [])];
  const hooks = new Hooks(callbacks, signal);
  hooks.begin();
  const visit = compiled.host({ dispose: () => hooks.drop() });
  training.stop = false;
  try {
    for (const callback of callbacks) callback.setModel?.(model);
    const history = await train(call, callbacks, hooks);
    compiled.assertLive();
    return history;
  } finally {
    hooks.end();
    visit.leave();
    training.stopped = undefined;
    training.trainer?.dispose();
    training.trainer = undefined;
    for (const callback of callbacks) callback[GUARD]?.release(model);
  }
}

async function train(call: FitCall, callbacks: readonly Callback[], hooks: Hooks): Promise<History> {
  const { compiled, data, validation, options, training, bookmark } = call;
  const { batchSize, history, shuffle, seed, epochsBefore } = bookmark;
  const { epochs = 1, pause, signal } = options;
  const batches = { ...batching(options, "fit"), batchSize };
  const stop: Stop = {
    get aborted() {
      return signal?.aborted === true || training.stop;
    },
  };
  const stopped = new Promise<void>((resolve) => {
    training.stopped = resolve;
  });
  const gate = pause?.gate(() => Promise.race([compiled.gone(), stopped]), stop, signal);
  const logs = (metrics: SweepMetrics) => logsOf(metrics, compiled.settings.withAccuracy);
  const validate = (stop: Stop) =>
    compiled.evaluate(validation!.dataset, { ...batches, scale: validation!.scale, signal: stop });
  // Who is told of batches is told figures that were read.
  const told = callbacks.some(({ onBatchEnd }) => onBatchEnd);
  const trainer = await compiled.trainer(data.dataset, {
    ...batches,
    scale: data.scale,
    signal: stop,
    ended: hooks.dropped,
    pause: gate,
    reads: callbacks.some((callback) => callback[GUARD]) ? "always" : told ? "at once" : "now and then",
    onProgress: ({ done, metrics }) =>
      told && metrics ? hooks.call((callback) => callback.onBatchEnd?.(done, logs(metrics), metrics)) : undefined,
  });
  training.bookmark = bookmark;
  training.trainer = trainer;
  gate?.enter();
  let look: ParameterLook | undefined;
  try {
    const steps = Math.ceil(data.dataset.size / batchSize);
    let warned = false;
    await hooks.call((callback) => callback.onTrainBegin?.({ epochs, steps, batchSize }));
    while (bookmark.epoch < epochs && !stop.aborted) {
      const { epoch } = bookmark;
      await hooks.call((callback) => callback.onEpochBegin?.(epoch));
      // What an earlier epoch's last step spoils, the next one's loss shows.
      if (epoch + 1 === epochs) look = await compiled.readyLook();
      const order = shuffle ? orderSeed(seed, epochsBefore + epoch) : undefined;
      const metrics = await trainer.epoch(order, bookmark, look?.record);
      training.epochs = epochsBefore + epoch + 1;
      if (metrics?.badStep && !warned && !training.stop) {
        warned = true;
        warn(epoch, `the loss is ${metrics.loss} from step ${metrics.badStep} of ${steps} on`);
      }
      if (!metrics || stop.aborted) break;
      const held = validation && (await (gate ? gate.whole(validate, validation.dataset.size) : validate(stop)));
      if (stop.aborted) break;
      const heldLogs = Object.entries(held ? logs(held) : {}).map(([name, value]) => [`val_${name}`, value]);
      const epochLogs: Logs = { ...logs(metrics), ...Object.fromEntries(heldLogs) };
      history.add(epoch, epochLogs);
      bookmark.epoch++;
      bookmark.steps = 0;
      const path = warned ? undefined : await look?.badParameter();
      if (path) warn(epoch, `its last step made ${path} a NaN or infinite`);
      await hooks.call((callback) => callback.onEpochEnd?.(epoch, epochLogs));
    }
    await hooks.call((callback) => callback.onTrainEnd?.(history));
    return history;
  } finally {
    look?.release();
    gate?.leave();
  }
}

function warn(epoch: number, what: string): void {
  const remedy = "callbacks: [terminateOnNaN()] stops there, keeps the weights of before, and names the layer";
  console.warn(`fit: epoch ${epoch + 1}: ${what}. ${remedy}.`);
}
