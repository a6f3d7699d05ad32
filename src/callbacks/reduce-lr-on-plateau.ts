import { finiteNumber, knownKeys, oneOf } from "../base/errors.ts";
import type { Model } from "../model/model.ts";
import type { Callback } from "../training/callback.ts";
import { countFrom0 } from "./early-stopping.ts";
import { learningRateOf, setLearningRate } from "./learning-rate.ts";
import { Monitor, type MonitorOptions } from "./monitor.ts";

export interface ReduceLrOnPlateauOptions extends MonitorOptions {
  /** Factor of the learning rate, below 1. Default 0.1. */
  readonly factor?: number;
  /** Epochs without an improvement after which the rate is reduced. Default 10. */
  readonly patience?: number;
  /** 1 prints each change. Default 0. */
  readonly verbose?: 0 | 1;
  /** Epochs after a change that are not counted. Default 0. */
  readonly cooldown?: number;
  /** Lowest rate. Default 0. */
  readonly minLr?: number;
}

/**
 * Reduces the learning rate when a figure has stopped improving: Keras's `ReduceLROnPlateau`
 * (`keras/src/callbacks/reduce_lr_on_plateau.py`), with its defaults; `minDelta` is 1e-4. The history gets the figure `learningRate`, the
 * rate of the epoch that has ended.
 *
 * @example
 * await model.fit(x, y, { epochs: 50, validationSplit: 0.2, callbacks: [reduceLrOnPlateau({ factor: 0.2, patience: 5 })] });
 * @throws FeaturemapError `value` for an option that is unknown or out of range; in `fit`, where the direction of `auto` is not known;
 *   `state` where the optimizer has no learning rate
 */
export function reduceLrOnPlateau(options: ReduceLrOnPlateauOptions = {}): Callback {
  const where = "reduceLrOnPlateau";
  knownKeys(options, ["monitor", "factor", "patience", "verbose", "mode", "minDelta", "cooldown", "minLr"], where);
  const { factor = 0.1, patience = 10, verbose = 0, cooldown = 0, minLr = 0 } = options;
  finiteNumber(factor, `${where}: factor`, 0, 1);
  countFrom0(patience, `${where}: patience`);
  countFrom0(cooldown, `${where}: cooldown`);
  oneOf(verbose, [0, 1], `${where}: verbose`);
  finiteNumber(minLr, `${where}: minLr`, 0);
  const monitor = new Monitor(options, where, 1e-4);
  let model: Model;
  let [wait, cooling] = [0, 0];
  const reduce = async (epoch: number, rate: number) => {
    if (Math.fround(rate) <= Math.fround(minLr)) return;
    const reduced = Math.max(rate * factor, minLr);
    await setLearningRate(model, reduced);
    if (verbose) console.log(`\nEpoch ${epoch + 1}: ReduceLROnPlateau reducing learning rate to ${reduced}.`);
    [cooling, wait] = [cooldown, 0];
  };
  return {
    setModel: (its: Model) => {
      model = its;
    },
    onTrainBegin: async () => {
      [wait, cooling, monitor.best] = [0, 0, undefined];
      await monitor.begin(model);
    },
    onEpochEnd: async (epoch, logs) => {
      const rate = await learningRateOf(model, where);
      logs.learningRate = rate;
      const value = monitor.of(logs);
      if (value === undefined) return;
      if (cooling > 0) [cooling, wait] = [cooling - 1, 0];
      if (monitor.isBetter(value)) [monitor.best, wait] = [value, 0];
      else if (cooling === 0) {
        wait++;
        if (wait >= patience) await reduce(epoch, rate);
      }
    },
  };
}
