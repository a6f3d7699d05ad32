import { listOf, optionalFunction, wrong } from "../base/errors.ts";
import type { History, Logs } from "./history.ts";

/** As much of a model as every callback needs: a callback may declare the model that it works with, `setModel(model: Sequential)`. */
export interface TrainedModel {
  readonly name: string;
  /** Set to true, ends `fit` after the submits that are under way. */
  stopTraining: boolean;
}

export interface TrainingParams {
  readonly epochs: number;
  /** Steps an epoch. */
  readonly steps: number;
  readonly batchSize: number;
}

/** Key of what makes a callback a guard. */
export const GUARD = Symbol("guard");

/** A callback that sees the figures of each submit, and whose hooks are waited for whatever happens. */
export interface Guard {
  /** Told that `fit` has ended, by whatever. */
  release(model: TrainedModel): void;
}

/**
 * Hooks into `fit`; training waits for those that return a promise. A hook that never settles holds training up, not its end: once
 * the `signal` is aborted, hooks have 2 s, and none after `dispose`.
 */
export interface Callback {
  /** Before training begins. The model's `stopTraining` ends it. */
  setModel?(model: TrainedModel): void;
  onTrainBegin?(params: TrainingParams): void | Promise<void>;
  onTrainEnd?(history: History): void | Promise<void>;
  onEpochBegin?(epoch: number): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /**
   * After a submit, which holds one step or more. `batch`: steps done in this epoch. `logs`: means over the epoch so far, as last
   * read from the GPU. `read.samples`: how many samples those means are over, which lags behind `batch`. `read.badStep`: the first
   * step of the epoch, counted from 1, whose loss is a NaN or infinite; 0 where there is none.
   */
  onBatchEnd?(
    batch: number,
    logs: Logs,
    read: { readonly samples: number; readonly badStep: number },
  ): void | Promise<void>;
  /** @internal A symbol, since an app's own object may have any name. */
  readonly [GUARD]?: Guard;
}

/** A hook of a name that begins so and is not among them is a mistake, such as Keras's `on_epoch_end`. */
const HOOK = /^on[A-Z_]/;
const HOOKS: readonly string[] = [
  "setModel",
  "onTrainBegin",
  "onTrainEnd",
  "onEpochBegin",
  "onEpochEnd",
  "onBatchEnd",
] satisfies (keyof Callback)[];

/** A copy of the list. @throws FeaturemapError `value` for what is no object, a hook that is no function, or one that is not known */
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
