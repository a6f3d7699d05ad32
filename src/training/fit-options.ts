import { finiteNumber, flag, knownKeys, madeBy, oneOf, positiveInteger, wholeNumber, wrong } from "../base/errors.ts";
import { type Callback, checkedCallbacks } from "./callback.ts";
import { FRAMES_MS } from "./pace.ts";
import type { PauseSwitch } from "./pause.ts";

/** How the samples of a call are cut into steps. */
export interface BatchOptions {
  /** Samples a step. Default 32. */
  readonly batchSize?: number;
  /**
   * Steps a submit. Default `auto`: on a GPU as many as take about `submitMs`, on a software adapter one. Does not change
   * results.
   */
  readonly stepsPerExecution?: number | "auto";
  /**
   * The longest that a submit of `auto` should take on the GPU, in ms. Default 50, which leaves some frames to the page; 250 puts
   * throughput first: at least 16 steps a submit once the GPU is warm. Below 16 it is the budget of a frame: all that is in
   * flight takes no longer, so that what the page draws waits for no more than, say, 8 ms. A step is never cut.
   */
  readonly submitMs?: number;
  /** Stops after the submits that are under way. `fit` then returns; `evaluate` and `predict` throw the signal's reason. */
  readonly signal?: AbortSignal;
}

/** @typeParam V what serves as validation data */
export interface FitOptions<V> extends BatchOptions {
  /** Default 1. */
  readonly epochs?: number;
  /** 0 silent, 1 (default) or 2 a line an epoch. `progressBar` among the callbacks draws Keras's bar on a terminal. */
  readonly verbose?: 0 | 1 | 2;
  /** Evaluated after each epoch. */
  readonly validationData?: V;
  /** Whether each epoch takes the samples in a new order. Default true. */
  readonly shuffle?: boolean;
  /** Of the orders. Default: the seed that `compile` was given. */
  readonly seed?: number;
  readonly callbacks?: readonly Callback[];
  /** From `pauseSwitch()`: stops training between two submits and lets it go on. */
  readonly pause?: PauseSwitch;
  /**
   * Goes on where the model's last `fit` stopped, in the middle of an epoch too, or where the snapshot was taken that was
   * restored: bits and history are those of a `fit` that was never stopped. `epochs` counts from that fit's begin. `batchSize`,
   * `shuffle` and `seed` are that fit's, and need not be given again; the data must be the same. Default false.
   */
  readonly resume?: boolean;
}

export const FIT_OPTIONS = [
  ...["batchSize", "stepsPerExecution", "submitMs", "signal", "epochs", "verbose"],
  ...["validationData", "shuffle", "seed", "callbacks", "pause", "resume"],
] as const;

/**
 * The options in a copy, of which nothing changes while `fit` runs.
 *
 * @throws FeaturemapError `value` for an option that is unknown or out of range
 */
export function checkFitOptions<V>(given: FitOptions<V> = {}): FitOptions<V> {
  knownKeys(given, FIT_OPTIONS, "fit");
  const options: FitOptions<V> = Object.fromEntries(FIT_OPTIONS.map((name) => [name, given[name]]));
  const { epochs = 1, verbose = 1, seed, shuffle = true, resume = false, pause, callbacks = [] } = options;
  positiveInteger(epochs, "fit: epochs");
  oneOf(verbose, [0, 1, 2], "fit: verbose");
  if (seed !== undefined) wholeNumber(seed, "fit: seed");
  flag(shuffle, "fit: shuffle");
  flag(resume, "fit: resume");
  madeBy(pause === undefined || typeof pause?.gate === "function", pause, "fit: pause", "pauseSwitch()");
  batching(options, "fit");
  return { ...options, callbacks: checkedCallbacks(callbacks, "fit: callbacks") };
}

/** @throws FeaturemapError `value` for an option that is out of range */
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
