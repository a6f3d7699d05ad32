import type { Architecture } from "../network/architecture.ts";
import type { Training } from "../training/bookmark.ts";
import type { Compilation, CompiledModel } from "./compiled.ts";
import type { ModelLock } from "./model-lock.ts";

/** Figures by Keras's names: the loss and the metrics. */
export interface Evaluation {
  readonly loss: number;
  /** Accuracy, with `metrics: ["accuracy"]`. */
  readonly accuracy?: number;
  readonly [name: string]: number;
}

/** Numbers with their shape. */
export interface Prediction {
  readonly data: Float32Array;
  readonly shape: number[];
}

/** What runs need of their model. */
export interface RunsOf {
  readonly architecture: Architecture;
  readonly lock: ModelLock;
  readonly training: Training;
  compilation(): Compilation | undefined;
  /** Gives the compiled model, once its variables are there and earlier writes are done. */
  ready(where: string): Promise<CompiledModel>;
  /** Runs a call that makes no training step. */
  readOnly<T>(where: string, run: () => Promise<T>): Promise<T>;
}
