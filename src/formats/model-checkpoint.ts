import { aFunction, finiteNumber, flag, knownKeys, oneOf, positiveInteger } from "../base/errors.ts";
import { Monitor, type MonitorOptions } from "../callbacks/monitor.ts";
import type { Model } from "../model/model.ts";
import type { Callback } from "../training/callback.ts";
import type { Logs } from "../training/history.ts";
import { toSafetensors } from "./safetensors.ts";
import { saveModel } from "./saving.ts";

/** Moment at which a model was saved. */
export interface CheckpointInfo {
  /** Epoch, counted from 0. */
  readonly epoch: number;
  /** Last step of it, counted from 0, if models are saved within epochs. */
  readonly batch: number | undefined;
  readonly logs: Logs;
}

export interface ModelCheckpointOptions extends Omit<MonitorOptions, "minDelta"> {
  /** Keeps a file: `saveModel`'s or, with `saveWeightsOnly`, one that `loadWeights` takes. It is waited for, and `fit` throws what it throws. */
  readonly save: (bytes: Uint8Array<ArrayBuffer>, info: CheckpointInfo) => void | Promise<void>;
  /** 1 prints what is saved. Default 0. */
  readonly verbose?: 0 | 1;
  /** Whether a model is saved only if its figure is the best so far. Default false. */
  readonly saveBestOnly?: boolean;
  /** Whether only parameters and statistics are saved. Default false. */
  readonly saveWeightsOnly?: boolean;
  /** `epoch` (default), or the number of batches from one file to the next, counted through all epochs. */
  readonly saveFreq?: "epoch" | number;
  /** Figure that the first file must beat, with `saveBestOnly`. Default none. */
  readonly initialValueThreshold?: number;
}

/**
 * Saves a model while it trains: Keras's `ModelCheckpoint` (`keras/src/callbacks/model_checkpoint.py`), with its defaults. The best figure
 * is kept from one `fit` to the next. `saveFreq` in batches lets one submit be under way at a time, so that a file has the weights of just
 * that batch. For a training that is to go on to the same bits, see `checkpoint`.
 *
 * @example
 * const best = modelCheckpoint({ saveBestOnly: true, save: (bytes) => writeFile("best.safetensors", bytes) });
 * await model.fit(x, y, { epochs: 20, validationSplit: 0.2, callbacks: [best] });
 * @throws FeaturemapError `value` for an option that is unknown or wrong; in `fit`, where the direction of `auto` is not known
 */
export function modelCheckpoint(options: ModelCheckpointOptions): Callback {
  const where = "modelCheckpoint";
  const names = ["save", "monitor", "verbose", "saveBestOnly", "saveWeightsOnly", "mode", "saveFreq"] as const;
  knownKeys(options, [...names, "initialValueThreshold"], where);
  const { save, verbose = 0, saveBestOnly = false, saveWeightsOnly = false, saveFreq = "epoch" } = options;
  aFunction(save, `${where}: save`);
  oneOf(verbose, [0, 1], `${where}: verbose`);
  flag(saveBestOnly, `${where}: saveBestOnly`);
  flag(saveWeightsOnly, `${where}: saveWeightsOnly`);
  if (saveFreq !== "epoch") positiveInteger(saveFreq, `${where}: saveFreq`);
  const { initialValueThreshold: threshold } = options;
  const monitor = new Monitor(options, where);
  if (threshold !== undefined) monitor.best = finiteNumber(threshold, `${where}: initialValueThreshold`);
  let model: Model;
  let [running, seen, last] = [0, 0, -1];
  const isDue = (logs: Logs) => {
    if (!saveBestOnly) return true;
    const value = monitor.of(logs);
    if (value === undefined) return true;
    if (!monitor.isBetter(value)) return false;
    monitor.best = value;
    return true;
  };
  const bytesOf = async () => {
    if (!saveWeightsOnly) return saveModel(model);
    const weights = await model.getWeights();
    return toSafetensors(new Map(weights.map(({ name, shape, data }) => [name, { shape, data }])));
  };
  const saveAt = async (epoch: number, batch: number | undefined, logs: Logs) => {
    if (!isDue(logs)) return;
    await save(await bytesOf(), { epoch, batch, logs: { ...logs } });
    if (verbose) console.log(`\nEpoch ${epoch + 1}: model saved`);
  };
  return {
    setModel: (its: Model) => {
      model = its;
    },
    onTrainBegin: async () => {
      if (saveBestOnly) await monitor.begin(model);
    },
    onEpochBegin: (epoch) => {
      running = epoch;
    },
    ...(saveFreq === "epoch"
      ? { onEpochEnd: (epoch: number, logs: Logs) => saveAt(epoch, undefined, logs) }
      : {
          exactLogs: true,
          // With it, no later step has changed the weights.
          onTrainBatchBegin: () => {},
          onTrainBatchEnd: async (batch: number, logs: Logs) => {
            seen += batch <= last ? batch + 1 : batch - last;
            last = batch;
            if (seen < saveFreq) return;
            seen = 0;
            await saveAt(running, batch, logs);
          },
        }),
  };
}
