// What the command (Node) and the page (browser) say to each other. Types and two constants: either side can import it.

import type { AdapterSummary, CompileProgress, ModelStats } from "../../src/index.ts";
import type { TrainOptions } from "../options.ts";

/** The page posts the safetensors bytes here. */
export const WEIGHTS_ROUTE = "/featuremap-weights";
/** The function that the command exposes to the page; it takes a TrainEvent. */
export const EVENT_FUNCTION = "featuremapEvent";
/** The function by which the page reads and writes what was measured: `(key)`, or `(key, choices)`. */
export const TUNING_FUNCTION = "featuremapTuning";

export interface TrainRequest {
  readonly options: TrainOptions;
  /** Whether to post the weights to WEIGHTS_ROUTE at the end. */
  readonly save: boolean;
  /** Whether to choose kernels by measurement, with TUNING_FUNCTION to remember them. */
  readonly tune: boolean;
}

/** Times are milliseconds since the epoch began; `done` and `total` count its steps; `epoch` counts from 0. */
export interface EpochProgress {
  readonly done: number;
  readonly total: number;
  readonly elapsedMs: number;
  readonly firstStepMs?: number;
  readonly logs: Readonly<Record<string, number>>;
}

export type TrainEvent =
  | { readonly type: "ready"; readonly adapter: AdapterSummary; readonly summary: string }
  | { readonly type: "compile"; readonly progress: CompileProgress }
  | { readonly type: "warning"; readonly text: string }
  | { readonly type: "epochBegin"; readonly epoch: number }
  | { readonly type: "progress"; readonly progress: EpochProgress }
  | { readonly type: "epochEnd"; readonly progress: EpochProgress };

/** As Keras's `history.history`: one figure an epoch; the `val_` ones are of the test images. */
export type MetricHistory = Record<string, number[]>;

export interface TrainResult {
  readonly adapter: AdapterSummary;
  readonly history: MetricHistory;
  /** `null` where the run was stopped before its last test. */
  readonly test: { readonly loss: number; readonly accuracy: number } | null;
  readonly timing: Timing;
  /** `submits` and `readbacks`: all that training made, over its steps. Validation is not counted. */
  readonly perStep: { readonly dispatches: number; readonly submits: number; readonly readbacks: number };
  readonly bytes: ModelStats["bytes"];
  readonly choices: ModelStats["choices"];
  readonly tuning: ModelStats["tuning"];
  readonly interrupted: boolean;
}

export interface Timing {
  /** `null` where there was no step to time. */
  readonly msPerStep: number | null;
  readonly imagesPerSecond: number | null;
  readonly compileMs: number;
  readonly firstStepMs: number | null;
}

/** An error crosses as data, since a rejected `page.evaluate` would bring back Playwright's wording. */
export type Outcome =
  | { readonly ok: true; readonly result: TrainResult }
  | { readonly ok: false; readonly message: string; readonly stack: string };

/** What the page puts on `globalThis`. */
export interface TrainPage {
  start(request: TrainRequest): Promise<Outcome>;
  /** Ends the training after the step at hand; `start` then resolves with what there is. */
  stop(): void;
}

declare global {
  var featuremapTrain: TrainPage | undefined;
}
