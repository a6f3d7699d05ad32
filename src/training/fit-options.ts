import {
  assertMadeBy,
  finiteNumber,
  flag,
  knownKeys,
  listOf,
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
  /** Samples a step. Default 32, or the size of the batches that a data set was put into. */
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

/** Options of `evaluate` and `predict`. */
export interface EvaluateOptions extends BatchOptions {
  /** Callbacks whose hooks of evaluations or predictions are called. */
  readonly callbacks?: readonly Callback[];
}

/** Options of `fit`. @typeParam V Type of the validation data. */
export interface FitOptions<V> extends BatchOptions {
  /** Number of epochs. Default 1. */
  readonly epochs?: number;
  /** Epoch to begin with, counted from 0, as if those before it were done: of a training that goes on. Default 0. */
  readonly initialEpoch?: number;
  /** Output: 0 none; `auto` (default), 1 and 2 a line an epoch. The callback `progressBar` draws Keras's bar on a terminal. */
  readonly verbose?: 0 | 1 | 2 | "auto";
  /** Steps of a validation on a stream. Default: until its batches end. */
  readonly validationSteps?: number;
  /** Data to evaluate after each epoch, or after those of `validationFreq`. */
  readonly validationData?: V;
  /**
   * Share of the samples, from 0 to 1, that is held out for validation: the last ones, before any shuffling. Arrays only; with
   * `validationData` it counts for nothing, as in Keras. Default 0.
   */
  readonly validationSplit?: number;
  /** Weights of classes in the loss of training, from `classWeights({ 0: 1, 1: 5 })`. Default 1 for each. */
  readonly classWeight?: ClassWeights;
  /** Samples a step of the validation. Results do not depend on it. Default: `batchSize`. */
  readonly validationBatchSize?: number;
  /** Epochs that are validated: each so many, or a list of them, counted from 1 as in Keras. Default 1. */
  readonly validationFreq?: number | readonly number[];
  /** Whether each epoch takes the samples in a new order. Default true. */
  readonly shuffle?: boolean;
  /** Seed of the sample orders. Default: the seed that `compile` was given. */
  readonly seed?: number;
  readonly callbacks?: readonly Callback[];
  /** Switch, from `pauseSwitch()`, that stops training between two submits and lets it go on. */
  readonly pause?: PauseSwitch;
  /**
   * Whether to go on where the model's last `fit` stopped, also within an epoch, or where a restored snapshot was taken. Bits and history
   * are those of a `fit` that was never stopped. `epochs` counts from that fit's beginning. `initialEpoch`, `batchSize`, `shuffle` and
   * `seed` are that fit's, and need not be given again. The data must be the same. Default false.
   */
  readonly resume?: boolean;
}

export const FIT_OPTIONS = [
  "batchSize",
  "stepsPerExecution",
  "submitMs",
  "signal",
  "epochs",
  "initialEpoch",
  "verbose",
  "validationData",
  "validationSteps",
  "validationSplit",
  "classWeight",
  "validationBatchSize",
  "validationFreq",
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
  const { validationSplit = 0, classWeight } = options;
  const { epochs = 1, verbose = "auto", seed, shuffle = true, resume = false, pause, callbacks = [] } = options;
  const { initialEpoch, validationBatchSize, validationFreq = 1 } = options;
  positiveInteger(epochs, "fit: epochs");
  if (initialEpoch !== undefined) wholeNumber(initialEpoch, "fit: initialEpoch");
  oneOf(verbose, [0, 1, 2, "auto"], "fit: verbose");
  if (validationBatchSize !== undefined) positiveInteger(validationBatchSize, "fit: validationBatchSize");
  const freq = checkedFreq(validationFreq);
  if (seed !== undefined) wholeNumber(seed, "fit: seed");
  flag(shuffle, "fit: shuffle");
  flag(resume, "fit: resume");
  finiteNumber(validationSplit, "fit: validationSplit", 0, 1);
  assertMadeBy(!classWeight || WEIGH in Object(classWeight), classWeight, "fit: classWeight", "classWeights({ 0: 1 })");
  assertMadeBy(pause === undefined || typeof pause?.gate === "function", pause, "fit: pause", "pauseSwitch()");
  batching(options, "fit");
  return { ...options, validationFreq: freq, callbacks: checkedCallbacks(callbacks, "fit: callbacks") };
}

/** Checks and copies the epochs that are validated. */
function checkedFreq(freq: number | readonly number[]): number | readonly number[] {
  const where = "fit: validationFreq";
  if (typeof freq === "number") return positiveInteger(freq, where);
  return Array.from(listOf(freq, where), (epoch) => positiveInteger(epoch, where));
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
