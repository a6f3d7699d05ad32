import { FeaturemapError } from "../base/errors.ts";
import { seedOf } from "../base/random.ts";
import { type Dataset, type HostData, identityOf } from "../data/dataset.ts";
import type { BoundPlan } from "../plan/executable.ts";
import { History } from "./history.ts";
import type { SweepMetrics } from "./metrics-reader.ts";

/** What training has come to, beside what is on the GPU. */
export interface Training {
  /** Epochs so far, so that a second `fit` goes on to new orders. */
  epochs: number;
  /** What `fit` multiplied bytes by; `evaluate` and `predict` do the same. */
  byteScale: number | undefined;
  /** Where the last `fit` stands, or stopped; `undefined` where another training step came after it. */
  bookmark: Bookmark | undefined;
  /** Of the `fit` that runs. */
  trainer: Trainer | undefined;
  /** Whether a callback has asked to end `fit`. */
  stop: boolean;
  /** Told when it asks. */
  stopped: (() => void) | undefined;
}

/** What the steps of a `fit` depend on, beside the data. */
export interface Course {
  /** Samples of the data set. */
  readonly samples: number;
  /** What tells the data set from others, `identityOf`. */
  readonly data: string;
  readonly batchSize: number;
  /** Whether each epoch takes the samples in a new order. */
  readonly shuffle: boolean;
  /** Of the orders. */
  readonly seed: number;
}

/** A place in a `fit`, from which it can go on to the same bits. */
export interface Bookmark extends Course {
  /** Epochs of the model before that `fit`. */
  readonly epochsBefore: number;
  /** Of the epochs that are done. */
  readonly history: History;
  /** The epoch to go on with, counted from 0. */
  epoch: number;
  /** Steps of it that were submitted. */
  steps: number;
}

export interface Trainer {
  readonly dataset: Dataset;
  /** What samples are multiplied by. */
  readonly scale: number;
  /** The step that an epoch repeats. */
  readonly run: BoundPlan;
  /**
   * Trains on all samples once, in the order of a seed or, without one, in the order in which they lie. Goes on after the
   * steps that `at` tells of, and keeps count of them there. `last` records what is to follow the last step in its submit.
   */
  epoch(
    shuffleSeed: number | undefined,
    at?: { steps: number },
    last?: (encoder: GPUCommandEncoder) => void,
  ): Promise<SweepMetrics | undefined>;
  /**
   * Makes the epoch's steps after `from` again, up to `to`: on the parameters, the state and the order that are on the GPU, without
   * a word to callbacks.
   */
  replay(from: number, to: number): Promise<void>;
  /** The samples of a step of the epoch, counted from 1, by their places in the data set. */
  samplesOf(step: number): readonly number[];
  dispose(): void;
}

/** What `fit` was told, as far as the course goes. */
type Given = Partial<Pick<Course, "batchSize" | "shuffle" | "seed">> & { readonly resume?: boolean };

/**
 * Where a `fit` begins: at its begin or, with `resume`, where the last one stopped.
 *
 * @throws FeaturemapError `state` where nothing is to be resumed; `value` where it has another course, or other data
 */
export function bookmarkFor(
  training: Training,
  given: Given,
  dataset: HostData | Dataset,
  compileSeed: number,
): Bookmark {
  const { batchSize = 32, shuffle = true, seed = compileSeed, resume } = given;
  const [samples, data] = [dataset.size, identityOf(dataset)];
  if (!resume) {
    const course = { samples, data, batchSize, shuffle, seed };
    return { ...course, epochsBefore: training.epochs, history: new History(), epoch: 0, steps: 0 };
  }
  const { bookmark } = training;
  if (!bookmark)
    throw new FeaturemapError(
      "state",
      "fit: resume: the last training step was not of a fit. Leave resume out, or restore().",
    );
  for (const key of ["data", "batchSize", "shuffle", "seed"] as const) {
    const got = { ...given, data }[key] ?? bookmark[key];
    if (got !== bookmark[key])
      throw new FeaturemapError(
        "value",
        `fit: resume: ${key} was ${bookmark[key]}, got ${got}. Leave it or resume out.`,
      );
  }
  return { ...bookmark, history: new History(bookmark.history) };
}

/** Sets the shuffle's stream apart from those of the parameters. */
const SHUFFLE = 0x5eed;

/** The seed of an epoch's order. */
export function orderSeed(seed: number, epoch: number): number {
  return seedOf(seed, SHUFFLE, epoch);
}
