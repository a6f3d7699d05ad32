import { flag, listOf, optionalFunction, wrong } from "../base/errors.ts";
import type { History, Logs } from "./history.ts";

/** Part of a model that every callback may use. A callback that needs more declares it: `setModel(model: Sequential)`. */
export interface TrainedModel {
  readonly name: string;
  /** Flag that, set to true, ends `fit` after the submits that are under way. */
  stopTraining: boolean;
}

/** Facts of a `fit`, or of an `evaluate` or `predict`, which have one epoch. */
export interface TrainingParams {
  readonly epochs: number;
  /** Steps an epoch. Those of a stream may be `undefined` until its first epoch has ended. */
  readonly steps: number | undefined;
  /** Samples a step; of a stream those of its first batch. */
  readonly batchSize: number;
}

/** Facts about the figures that a batch's hook gets. */
export interface FiguresRead {
  /** Number of samples that the means are over. It may lag behind `batch`; see `exactLogs`. */
  readonly samples: number;
  /** First step of the epoch, counted from 1, whose loss is a NaN or infinite; 0 if there is none. */
  readonly badStep: number;
  /** Output whose loss that is, if several outputs have one. */
  readonly badOutput?: string;
  /** Whether it is what layers add to the loss. */
  readonly badTerms?: boolean;
}

/** Key of the property that makes a callback a guard. */
export const GUARD = Symbol("guard");

/** Guard: a callback that sees the figures of each submit, and whose hooks are always waited for. */
export interface Guard {
  /** Called when `fit` has ended, for whatever reason. */
  release(model: TrainedModel): void;
}

/**
 * Callback: hooks into `fit`, `evaluate` and `predict`, in the order of Keras's (`keras/src/callbacks/callback.py`). The call waits for
 * those that return a promise. A hook that never settles holds up the call, but not its end: once the `signal` aborts, hooks have 2 s, and
 * after `dispose` none.
 *
 * Hooks of batches are called for each submit, which has one step or more; with `stepsPerExecution: 1`, for each batch. The submits that
 * are under way go on meanwhile, so hooks of ends lag behind. If a callback has the hook of a batch's begin, one submit is under way at a
 * time, and begins and ends alternate. Without such hooks, nothing of this costs anything.
 */
export interface Callback {
  /**
   * Whether the logs of `onTrainBatchEnd` and `onTestBatchEnd` are those after just that submit. It costs a read of the figures for each
   * submit. Default false: they are as last read.
   */
  readonly exactLogs?: boolean;
  /** Called before all other hooks. The model's `stopTraining` ends training. */
  setModel?(model: TrainedModel): void;
  /** Called after `setModel`. */
  setParams?(params: TrainingParams): void;
  onTrainBegin?(params: TrainingParams): void | Promise<void>;
  onTrainEnd?(history: History): void | Promise<void>;
  /** Called before each epoch, counted from 0. */
  onEpochBegin?(epoch: number): void | Promise<void>;
  /** Called after an epoch and its validation. Figures that it adds to `logs` come into the history, as in Keras. */
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /** Called before a submit of training. `batch`: number of its first step in the epoch, counted from 0. */
  onTrainBatchBegin?(batch: number): void | Promise<void>;
  /**
   * Called after a submit of training. `batch`: number of its last step in the epoch, counted from 0. `logs`: means over the epoch so
   * far, as last read from the GPU.
   */
  onTrainBatchEnd?(batch: number, logs: Logs, read: FiguresRead): void | Promise<void>;
  /** Called before `evaluate` makes its first step, and before each validation of `fit`. */
  onTestBegin?(): void | Promise<void>;
  /** Called after an evaluation. `logs`: its figures, without `val_`. An evaluation that a `signal` stops has no end. */
  onTestEnd?(logs: Logs): void | Promise<void>;
  /** Called before a submit of an evaluation, as `onTrainBatchBegin`. A validation that was paused begins anew, from batch 0. */
  onTestBatchBegin?(batch: number): void | Promise<void>;
  /**
   * Called after a submit of an evaluation, as `onTrainBatchEnd`. It must not await another evaluation or prediction of the model, which
   * would wait for this one.
   */
  onTestBatchEnd?(batch: number, logs: Logs, read: FiguresRead): void | Promise<void>;
  onPredictBegin?(): void | Promise<void>;
  onPredictEnd?(): void | Promise<void>;
  /** Called before a submit of a prediction, as `onTrainBatchBegin`. */
  onPredictBatchBegin?(batch: number): void | Promise<void>;
  /** Called after a submit of a prediction. Predictions are read when all are made, so it gets none. The rule of `onTestBatchEnd` holds. */
  onPredictBatchEnd?(batch: number): void | Promise<void>;
  /** @internal A symbol, since an app's own object may have any name. */
  readonly [GUARD]?: Guard;
}

/** Beginning of a hook's name. One that is not among `hookNames` is a mistake, such as Keras's `on_epoch_end`. */
const HOOK = /^on[A-Z_]/;
/** Parts of a call that hooks begin and end. */
const PARTS = ["Epoch", "Train", "TrainBatch", "Test", "TestBatch", "Predict", "PredictBatch"] as const;
type HookName = "setModel" | "setParams" | `on${(typeof PARTS)[number]}${"Begin" | "End"}`;

function hookNames(): readonly (HookName & keyof Callback)[] {
  return ["setModel", "setParams", ...PARTS.flatMap((part) => [`on${part}Begin`, `on${part}End`] as const)];
}

/** Checks and copies a list. @throws FeaturemapError `value` for no object, a hook that is no function, or an unknown hook */
export function checkedCallbacks(callbacks: readonly Callback[], where: string): readonly Callback[] {
  const hooks = hookNames();
  return Array.from(listOf(callbacks, where), (callback) => {
    const one = typeof callback === "object" && callback !== null && !Array.isArray(callback);
    if (!one || "then" in callback) {
      throw wrong(where, "be objects with hooks such as { onEpochEnd: (epoch, logs) => ... }", callback);
    }
    for (const hook of hooks) optionalFunction(callback[hook], `${where}: ${hook}`);
    flag(callback.exactLogs ?? false, `${where}: exactLogs`);
    const unknown = Object.keys(callback).find((key) => HOOK.test(key) && !hooks.includes(key as HookName));
    if (unknown) throw wrong(where, `have hooks among ${hooks.join(", ")}`, unknown);
    return callback;
  });
}
