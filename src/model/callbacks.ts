import type { History, Logs } from "./history.ts";

export interface TrainingParams {
  readonly epochs: number;
  /** Steps an epoch. */
  readonly steps: number;
  readonly batchSize: number;
}

/** Hooks into `fit`; training waits for those that return a promise. */
export interface Callback {
  onTrainBegin?(params: TrainingParams): void | Promise<void>;
  onTrainEnd?(history: History): void | Promise<void>;
  onEpochBegin?(epoch: number): void | Promise<void>;
  onEpochEnd?(epoch: number, logs: Logs): void | Promise<void>;
  /**
   * After a submit, which holds one step or more. `batch`: steps done in this epoch. `logs`: means over the epoch so far,
   * as last read from the GPU; `NaN` before the first read. `read.samples`: how many samples those means are over, which
   * lags behind `batch`.
   */
  onBatchEnd?(batch: number, logs: Logs, read: { readonly samples: number }): void | Promise<void>;
}
