import { listOf, optionalFunction, wrong } from "../base/errors.ts";
import type { History, Logs } from "./history.ts";

/** Part of a model that every callback may use. A callback that needs more declares it: `setModel(model: Sequential)`. */
export interface TrainedModel {
  readonly name: string;
  /** Flag that, set to true, ends `fit` after the submits that are under way. */
  stopTraining: boolean;
}

export interface TrainingParams {
  readonly epochs: number;
  /** Steps an epoch. */
  readonly steps: number;
  readonly batchSize: number;
}

/** Key of the property that makes a callback a guard. */
export const GUARD = Symbol("guard");

/** Guard: a callback that sees the figures of each submit, and whose hooks are always waited for. */
export interface Guard {
  /** Called when `fit` has ended, for whatever reason. */
  release(model: TrainedModel): void;
}

/**
 * Callback: hooks into `fit`. Training waits for those that return a promise. A hook that never settles holds up training, but not its end:
 * once the `signal` aborts, hooks have 2 s, and after `dispose` none.
 */
export interface Callback {
  /** Called before training begins. The model's `stopTraining` ends training. */
  setModel?(model: TrainedModel): void;
  onTrainBegin?(params: TrainingParams): void | Promise<void>;
  onTrainEnd?(history: History): void | Promise<void>;
  onEpochBegin?(epoch: number): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /**
   * Called after a submit, which has one step or more. `batch`: steps done in this epoch. `logs`: means over the epoch so far, as last
   * read from the GPU. `read.samples`: number of samples that those means are over; it lags behind `batch`. `read.badStep`: first step
   * of the epoch, counted from 1, whose loss is a NaN or infinite; 0 if there is none. `read.badOutput`: the output whose loss that is,
   * if several outputs have one. `read.badTerms`: whether it is what layers add to the loss.
   */
  onBatchEnd?(
    batch: number,
    logs: Logs,
    read: {
      readonly samples: number;
      readonly badStep: number;
      readonly badOutput?: string;
      readonly badTerms?: boolean;
    },
  ): void | Promise<void>;
  /** @internal A symbol, since an app's own object may have any name. */
  readonly [GUARD]?: Guard;
}

/** Beginning of a hook's name. One that is not among `HOOKS` is a mistake, such as Keras's `on_epoch_end`. */
const HOOK = /^on[A-Z_]/;
const HOOKS: readonly string[] = [
  "setModel",
  "onTrainBegin",
  "onTrainEnd",
  "onEpochBegin",
  "onEpochEnd",
  "onBatchEnd",
] satisfies (keyof Callback)[];

/** Checks and copies a list. @throws FeaturemapError `value` for no object, a hook that is no function, or an unknown hook */
export function checkedCallbacks(callbacks: readonly Callback[], where: string): readonly Callback[] {
  return Array.from(listOf(callbacks, where), (callback) => {
    const one = typeof callback === "object" && callback !== null && !Array.isArray(callback);
    if (!one || "then" in callback) {
      throw wrong(where, "be objects with hooks such as { onEpochEnd: (epoch, logs) => ... }", callback);
    }
    for (const hook of HOOKS) optionalFunction(callback[hook as keyof Callback], `${where}: ${hook}`);
    const unknown = Object.keys(callback).find((key) => HOOK.test(key) && !HOOKS.includes(key));
    if (unknown) throw wrong(where, `have hooks among ${HOOKS.join(", ")}`, unknown);
    return callback;
  });
}
