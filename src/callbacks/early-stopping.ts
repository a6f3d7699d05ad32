import { FeaturemapError, finiteNumber, flag, knownKeys, oneOf, wholeNumber, wrong } from "../base/errors.ts";
import { internalsOf } from "../model/internals.ts";
import type { Model } from "../model/model.ts";
import { type Callback, GUARD } from "../training/callback.ts";
import { Monitor, type MonitorOptions } from "./monitor.ts";
import { WeightCopy } from "./weight-copy.ts";

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without an improvement after which training ends. Default 0. */
  readonly patience?: number;
  /** 1 prints what is done. Default 0. */
  readonly verbose?: 0 | 1;
  /** Value that must be beaten, too. Default none. */
  readonly baseline?: number;
  /** Whether the model ends with the weights of its best epoch. Default false. */
  readonly restoreBestWeights?: boolean;
  /** First epoch, counted from 0, that is watched. Default 0. */
  readonly startFromEpoch?: number;
}

export interface EarlyStopping extends Callback {
  /** Epoch, counted from 0, that ended the last `fit`; `undefined` if it was not ended. */
  readonly stoppedEpoch: number | undefined;
  /** Best epoch of the last `fit`, counted from 0, and its figure; `undefined` if none was watched. */
  readonly bestEpoch: number | undefined;
  readonly best: number | undefined;
}

/**
 * Ends `fit` when a figure has stopped improving: Keras's `EarlyStopping` (`keras/src/callbacks/early_stopping.py`), with its defaults.
 * With `restoreBestWeights` it copies the weights on the GPU, and back when `fit` has ended. The copy takes as many bytes as the
 * parameters and statistics, and is freed then.
 *
 * @example
 * const stopping = earlyStopping({ patience: 3, restoreBestWeights: true });
 * await model.fit(x, y, { epochs: 100, validationSplit: 0.2, callbacks: [stopping] });
 * @throws FeaturemapError `value` for an option that is unknown or out of range; in `fit`, where the direction of `auto` is not known
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): EarlyStopping {
  const where = "earlyStopping";
  knownKeys(
    options,
    ["monitor", "minDelta", "patience", "verbose", "mode", "baseline", "restoreBestWeights", "startFromEpoch"],
    where,
  );
  const { patience = 0, verbose = 0, baseline, restoreBestWeights = false, startFromEpoch = 0 } = options;
  countFrom0(patience, `${where}: patience`);
  countFrom0(startFromEpoch, `${where}: startFromEpoch`);
  oneOf(verbose, [0, 1], `${where}: verbose`);
  flag(restoreBestWeights, `${where}: restoreBestWeights`);
  if (baseline !== undefined) finiteNumber(baseline, `${where}: baseline`);
  const monitor = new Monitor(options, where);
  let model: Model | undefined;
  let copy: WeightCopy | undefined;
  let [wait, bestEpoch, stoppedEpoch]: [number, number | undefined, number | undefined] = [0, undefined, undefined];
  const keep = async () => {
    if (!restoreBestWeights) return;
    copy ??= await WeightCopy.of((await internalsOf(model!, where)).compiled);
    await copy.take();
  };
  return {
    [GUARD]: {
      release: (its) => {
        if (its !== model) return;
        copy?.dispose();
        [model, copy] = [undefined, undefined];
      },
    },
    get stoppedEpoch() {
      return stoppedEpoch;
    },
    get bestEpoch() {
      return bestEpoch;
    },
    get best() {
      return monitor.best;
    },
    setModel: (its: Model) => {
      if (model) throw new FeaturemapError("state", `${where}: it is in use by a fit already. Make one for each.`);
      model = its;
    },
    onTrainBegin: async () => {
      [wait, bestEpoch, stoppedEpoch, monitor.best] = [0, undefined, undefined, undefined];
      await monitor.begin(model!);
    },
    onEpochEnd: async (epoch, logs) => {
      const value = monitor.of(logs);
      if (value === undefined || epoch < startFromEpoch) return;
      wait++;
      if (monitor.isBetter(value)) {
        [monitor.best, bestEpoch] = [value, epoch];
        await keep();
        if (baseline === undefined || monitor.isBetter(value, baseline)) wait = 0;
      } else if (wait >= patience && epoch > 0) {
        stoppedEpoch = epoch;
        model!.stopTraining = true;
      }
    },
    onTrainEnd: async () => {
      if (verbose && stoppedEpoch !== undefined) console.log(`Epoch ${stoppedEpoch + 1}: early stopping`);
      if (!copy) return;
      if (verbose) console.log(`Restoring model weights from the end of the best epoch: ${bestEpoch! + 1}.`);
      await copy.restore();
    },
  };
}

/** Checks a whole number of at least 0. */
export function countFrom0(value: unknown, where: string): number {
  const count = wholeNumber(value, where);
  if (count >= 0) return count;
  throw wrong(where, "be at least 0", value);
}
