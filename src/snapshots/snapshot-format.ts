import type { Shape } from "../base/shape.ts";
import type { VariableRole } from "../graph/variable.ts";
import type { BookmarkData } from "../training/bookmark.ts";

/** Version of the snapshots' layout. */
export const VERSION = 3;

/** Variable with its values. */
export interface SavedVariable {
  /** Path of the variable: `dense/kernel`, `dense/kernel/momentum`, `optimizer.product`, `means`, `state`. */
  readonly path: string;
  readonly role: VariableRole;
  readonly shape: Shape;
  /** Values: floats, or words as they lie on the GPU. */
  readonly data: Float32Array | Uint32Array;
}

/**
 * Snapshot: all that a model's training goes on from, as plain data for `structuredClone`, `postMessage` and IndexedDB. JSON loses typed
 * arrays and NaN. The data set, the layers and the options of `compile` are not in it, only enough to tell them from others.
 */
export interface Snapshot {
  readonly version: typeof VERSION;
  /** Name of each output's loss. */
  readonly losses: Readonly<Record<string, string>>;
  readonly optimizer: string;
  /** Options of the optimizer beside `hyperparameters`: `{ momentum: 0.9, nesterov: false }`. */
  readonly constants: Readonly<Record<string, string | number | boolean | null>>;
  readonly hyperparameters: Readonly<Record<string, number>>;
  /** Variables that training changes: weights, slots, metrics over the epoch so far, the step's state. */
  readonly variables: readonly SavedVariable[];
  /** Epochs so far. The orders of a new `fit` go on from there. */
  readonly epochs: number;
  /** Factors by which `evaluate` and `predict` multiply the bytes of each input. */
  readonly byteScales: Readonly<Record<string, number>>;
  /** Place where `fit({ resume: true })` goes on; `undefined` if the last step was not of a `fit`. */
  readonly fit: BookmarkData | undefined;
  /** Checksum of all of the above, so that damage is found. */
  readonly checksum: string;
}
