import type { Dataset } from "../data/dataset.ts";
import {
  FeaturemapError,
  finiteNumber,
  flag,
  knownKeys,
  listOf,
  madeBy,
  oneOf,
  positiveInteger,
  show,
  wholeNumber,
} from "../errors.ts";
import type { Callback } from "./callbacks.ts";
import type { CompiledModel } from "./compiled.ts";
import { epochLogger } from "./epoch-logger.ts";
import { type History, type Logs, logsOf } from "./history.ts";
import type { SweepMetrics } from "./metrics-reader.ts";
import { FRAMES_MS } from "./pace.ts";
import type { PauseSwitch } from "./pause.ts";
import type { Stop } from "./sweep.ts";
import { type Bookmark, orderSeed, type Training } from "./training.ts";

/** How the samples of a call are cut into steps. */
export interface BatchOptions {
  /** Samples a step. Default 32. */
  readonly batchSize?: number;
  /**
   * Steps a submit. Default `auto`: on a GPU as many as take about `submitMs`, on a software adapter one. Does not change
   * results.
   */
  readonly stepsPerExecution?: number | "auto";
  /**
   * The longest that a submit of `auto` should take on the GPU, in ms. Default 50, which leaves some frames to the page; 250 puts
   * throughput first: at least 16 steps a submit once the GPU is warm. Below 16 it is the budget of a frame: all that is in
   * flight takes no longer, so that what the page draws waits for no more than, say, 8 ms. A step is never cut.
   */
  readonly submitMs?: number;
  /** Stops after the submits that are under way. `fit` then returns; `evaluate` and `predict` throw the signal's reason. */
  readonly signal?: AbortSignal;
}

/** @typeParam V what serves as validation data */
export interface FitOptions<V> extends BatchOptions {
  /** Default 1. */
  readonly epochs?: number;
  /** 0 silent, 1 (default) or 2 a line an epoch. `progressBar` among the callbacks draws Keras's bar on a terminal. */
  readonly verbose?: 0 | 1 | 2;
  /** Evaluated after each epoch. */
  readonly validationData?: V;
  /** Whether each epoch takes the samples in a new order. Default true. */
  readonly shuffle?: boolean;
  /** Of the orders. Default: the seed that `compile` was given. */
  readonly seed?: number;
  readonly callbacks?: readonly Callback[];
  /** From `pauseSwitch()`: stops training between two submits and lets it go on. */
  readonly pause?: PauseSwitch;
  /**
   * Goes on where the model's last `fit` stopped, in the middle of an epoch too, or where the snapshot was taken that was
   * restored: bits and history are those of a `fit` that was never stopped. `epochs` counts from that fit's begin. `batchSize`,
   * `shuffle` and `seed` are that fit's, and need not be given again; the data must be the same. Default false.
   */
  readonly resume?: boolean;
}

const FIT_OPTIONS = [
  ...["batchSize", "stepsPerExecution", "submitMs", "signal", "epochs", "verbose"],
  ...["validationData", "shuffle", "seed", "callbacks", "pause", "resume"],
] as const;

/** @throws FeaturemapError `value` for an option that is unknown or out of range */
export function checkFitOptions(options: FitOptions<unknown>): void {
  knownKeys(options, FIT_OPTIONS, "fit");
  positiveInteger(options.epochs ?? 1, "fit: epochs");
  oneOf(String(options.verbose ?? 1), ["0", "1", "2"], "fit: verbose");
  if (options.seed !== undefined) wholeNumber(options.seed, "fit: seed");
  flag(options.shuffle ?? true, "fit: shuffle");
  flag(options.resume ?? false, "fit: resume");
  const { pause } = options;
  madeBy(pause === undefined || typeof pause?.gate === "function", pause, "fit: pause", "pauseSwitch()");
  for (const callback of listOf(options.callbacks ?? [], "fit: callbacks")) {
    if (typeof callback === "object" && callback !== null) continue;
    const wanted = "objects with hooks such as { onEpochEnd: (epoch, logs) => ... }";
    throw new FeaturemapError("value", `fit: callbacks must be ${wanted}, got ${show(callback)}.`);
  }
  batching(options, "fit");
}

/** @throws FeaturemapError `value` for an option that is out of range */
export function batching(options: BatchOptions, where: string) {
  const { batchSize = 32, stepsPerExecution = "auto", submitMs = FRAMES_MS, signal } = options;
  positiveInteger(batchSize, `${where}: batchSize`);
  finiteNumber(submitMs, `${where}: submitMs`, 1);
  if (stepsPerExecution !== "auto") positiveInteger(stepsPerExecution, `${where}: stepsPerExecution`);
  if (signal !== undefined && typeof signal.aborted !== "boolean") {
    throw new FeaturemapError("value", `${where}: signal must be an AbortSignal, got ${show(signal)}.`);
  }
  return { batchSize, stepsPerExecution, submitMs, signal };
}

/** One side of `fit`: data on the GPU and what its numbers are multiplied by. */
export interface ScaledDataset {
  readonly dataset: Dataset;
  readonly scale: number;
}

export interface FitCall {
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
  const { compiled, data, validation, options, training, bookmark } = call;
  const { batchSize, history, shuffle, seed, epochsBefore } = bookmark;
  const { epochs = 1, verbose = 1, pause } = options;
  const batches = { ...batching(options, "fit"), batchSize };
  const { signal } = batches;
  const gate = pause?.gate(() => compiled.gone(), signal);
  const logs = (metrics: SweepMetrics | undefined) => logsOf(metrics, compiled.settings.withAccuracy);
  const validate = (stop: Stop | undefined) =>
    compiled.evaluate(validation!.dataset, { ...batches, scale: validation!.scale, signal: stop });
  const callbacks = [...(verbose ? [epochLogger()] : []), ...(options.callbacks ?? [])];
  const each = async (event: (callback: Callback) => void | Promise<void> | undefined) => {
    for (const callback of callbacks) await event(callback);
  };
  const trainer = await compiled.trainer(data.dataset, {
    ...batches,
    scale: data.scale,
    pause: gate,
    onProgress: ({ done, metrics }) =>
      each((callback) => callback.onBatchEnd?.(done, logs(metrics), { samples: metrics?.samples ?? 0 })),
  });
  training.bookmark = bookmark;
  gate?.enter();
  try {
    const steps = Math.ceil(data.dataset.size / batchSize);
    await each((callback) => callback.onTrainBegin?.({ epochs, steps, batchSize }));
    while (bookmark.epoch < epochs && !signal?.aborted) {
      const { epoch } = bookmark;
      await each((callback) => callback.onEpochBegin?.(epoch));
      const metrics = await trainer.epoch(shuffle ? orderSeed(seed, epochsBefore + epoch) : undefined, bookmark);
      training.epochs = epochsBefore + epoch + 1;
      if (signal?.aborted) break;
      const held = validation && (await (gate ? gate.whole(validate, validation.dataset.size) : validate(signal)));
      if (signal?.aborted) break;
      const heldLogs = Object.entries(held ? logs(held) : {}).map(([name, value]) => [`val_${name}`, value]);
      const epochLogs: Logs = { ...logs(metrics), ...Object.fromEntries(heldLogs) };
      history.add(epoch, epochLogs);
      bookmark.epoch++;
      bookmark.steps = 0;
      await each((callback) => callback.onEpochEnd?.(epoch, epochLogs));
    }
    await each((callback) => callback.onTrainEnd?.(history));
    return history;
  } finally {
    gate?.leave();
    trainer.dispose();
  }
}
