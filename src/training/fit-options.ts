import {
  assertMadeBy,
  finiteNumber,
  flag,
  knownKeys,
  oneOf,
  positiveInteger,
  wholeNumber,
  wrong,
} from "../base/errors.ts";
import { type Callback, checkedCallbacks } from "./callback.ts";
import { type ClassWeights, WEIGH } from "./class-weight.ts";
import { FRAMES_MS } from "./pace.ts";
import type { PauseSwitch } from "./pause.ts";

/** Options for cutting samples into steps and submits. */
export interface BatchOptions {
  /** Samples a step. Default 32. */
  readonly batchSize?: number;
  /**
   * Steps a submit. Default `auto`: on a GPU as many as take about `submitMs`, on a software adapter one. Results do not depend on it.
   */
  readonly stepsPerExecution?: number | "auto";
  /**
   * Longest time that a submit of `auto` should take on the GPU, in ms. Default 50, which leaves some frames to the page. 250 puts
   * throughput first: at least 16 steps a submit once the GPU is warm. A value below 16 is the budget of a frame: all submits in flight
   * take no longer, so the page's drawing waits no more than, say, 8 ms. A step is never cut.
   */
  readonly submitMs?: number;
  /** Signal that stops the call after the submits under way. `fit` then returns; `evaluate` and `predict` throw the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of `fit`. @typeParam V Type of the validation data. */
export interface FitOptions<V> extends BatchOptions {
  /** Number of epochs. Default 1. */
  readonly epochs?: number;
  /** Output: 0 none, 1 (default) or 2 a line an epoch. The callback `progressBar` draws Keras's bar on a terminal. */
  readonly verbose?: 0 | 1 | 2;
  /** Data to evaluate after each epoch. */
  readonly validationData?: V;
  /**
   * Share of the samples, from 0 to 1, that is held out for validation: the last ones, before any shuffling. Arrays only; with
   * `validationData` it counts for nothing, as in Keras. Default 0.
   */
  readonly validationSplit?: number;
  /** Weights of classes in the loss of training, from `classWeights({ 0: 1, 1: 5 })`. Default 1 for each. */
  readonly classWeight?: ClassWeights;
  /** Whether each epoch takes the samples in a new order. Default true. */
  readonly shuffle?: boolean;
  /** Seed of the sample orders. Default: the seed that `compile` was given. */
  readonly seed?: number;
  readonly callbacks?: readonly Callback[];
  /** Switch, from `pauseSwitch()`, that stops training between two submits and lets it go on. */
  readonly pause?: PauseSwitch;
  /**
   * Whether to go on where the model's last `fit` stopped, also within an epoch, or where a restored snapshot was taken. Bits and history
   * are those of a `fit` that was never stopped. `epochs` counts from that fit's beginning. `batchSize`, `shuffle` and `seed` are that
   * fit's, and need not be given again. The data must be the same. Default false.
   */
  readonly resume?: boolean;
}

export const FIT_OPTIONS = [
  "batchSize",
  "stepsPerExecution",
  "submitMs",
  "signal",
  "epochs",
  "verbose",
  "validationData",
  "validationSplit",
  "classWeight",
  "shuffle",
  "seed",
  "callbacks",
  "pause",
  "resume",
] as const;

/**
 * Checks and copies the options, so that nothing changes while `fit` runs.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function checkFitOptions<V>(given: FitOptions<V> = {}): FitOptions<V> {
  knownKeys(given, FIT_OPTIONS, "fit");
  const options: FitOptions<V> = Object.fromEntries(FIT_OPTIONS.map((name) => [name, given[name]]));
  const { epochs = 1, verbose = 1, seed, shuffle = true, resume = false, pause, callbacks = [] } = options;
  const { validationSplit = 0, classWeight } = options;
  positiveInteger(epochs, "fit: epochs");
  oneOf(verbose, [0, 1, 2], "fit: verbose");
  if (seed !== undefined) wholeNumber(seed, "fit: seed");
  flag(shuffle, "fit: shuffle");
  flag(resume, "fit: resume");
  finiteNumber(validationSplit, "fit: validationSplit", 0, 1);
  assertMadeBy(!classWeight || WEIGH in Object(classWeight), classWeight, "fit: classWeight", "classWeights({ 0: 1 })");
  assertMadeBy(pause === undefined || typeof pause?.gate === "function", pause, "fit: pause", "pauseSwitch()");
  batching(options, "fit");
  return { ...options, callbacks: checkedCallbacks(callbacks, "fit: callbacks") };
}

/** Checks the options and fills in defaults. @throws FeaturemapError `value` for an option that is out of range */
export function batching(options: BatchOptions, where: string) {
  const { batchSize = 32, stepsPerExecution = "auto", submitMs = FRAMES_MS } = options;
  const signal = options.signal ?? undefined;
  positiveInteger(batchSize, `${where}: batchSize`);
  finiteNumber(submitMs, `${where}: submitMs`, 1);
  if (stepsPerExecution !== "auto") positiveInteger(stepsPerExecution, `${where}: stepsPerExecution`);
  if (signal && !(typeof signal.aborted === "boolean" && typeof signal.addEventListener === "function"))
    throw wrong(`${where}: signal`, "be an AbortSignal, such as controller.signal", signal);
  return { batchSize, stepsPerExecution, submitMs, signal };
}
