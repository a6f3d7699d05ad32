import { FeaturemapError } from "../base/errors.ts";
import { seedOf } from "../base/random.ts";
import type { HostData } from "../data/columns.ts";
import { type Dataset, identityOf } from "../data/dataset.ts";
import type { ClassWeights } from "./class-weight.ts";
import { History, type Logs } from "./history.ts";
import type { Trainer } from "./trainer.ts";

/** State of a model's training, beside the variables on the GPU. */
export interface Training {
  /** Epochs so far, so that a second `fit` goes on to new orders. */
  epochs: number;
  /** Factors by which `fit` multiplied the bytes of each input; `evaluate` and `predict` use the same. */
  byteScales: Readonly<Record<string, number>>;
  /** Place where the last `fit` is or stopped; `undefined` if another training step came after it. */
  bookmark: Bookmark | undefined;
  /** Trainer of the `fit` that runs. */
  trainer: Trainer | undefined;
  /** Whether a callback has asked to end `fit`. */
  stop: boolean;
  /** Called when it asks. */
  stopped: (() => void) | undefined;
}

/** Recipe of a `fit`: all that its steps depend on, beside the data. */
export interface FitRecipe {
  /** Samples of the data set. */
  readonly samples: number;
  /** Identity of the data set, from `identityOf`. */
  readonly data: string;
  readonly batchSize: number;
  /** Whether each epoch takes the samples in a new order. */
  readonly shuffle: boolean;
  /** Seed of the orders. */
  readonly seed: number;
}

/** Bookmark as plain data. */
export interface BookmarkData extends FitRecipe {
  /** Epochs of the model before that `fit`. */
  readonly epochsBefore: number;
  /** Figures of the finished epochs. */
  readonly history: Pick<History, "epoch" | "history">;
  /** Epoch to go on with, counted from 0. */
  readonly epoch: number;
  /** Steps of that epoch that were submitted. */
  readonly steps: number;
}

/** Bookmark: a place in a `fit`, from which it can go on to the same bits. It moves as steps are submitted. */
export class Bookmark {
  readonly recipe: FitRecipe;
  readonly epochsBefore: number;
  readonly history: History;
  #epoch: number;
  #steps: number;

  constructor({ epochsBefore, history, epoch, steps, ...recipe }: BookmarkData) {
    this.recipe = recipe;
    this.epochsBefore = epochsBefore;
    this.history = new History(history);
    this.#epoch = epoch;
    this.#steps = steps;
  }

  /** Epoch to go on with, counted from 0. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Steps of the epoch that were submitted. */
  get steps(): number {
    return this.#steps;
  }

  /** Moves on to a number of submitted steps of the epoch. */
  submitted(steps: number): void {
    this.#steps = steps;
  }

  /** Ends the epoch with its figures. */
  endEpoch(logs: Logs): void {
    this.history.add(this.#epoch, logs);
    this.#epoch++;
    this.#steps = 0;
  }

  /** Goes back to a step of this epoch, or of the one that has just ended, and then drops its figures. */
  rewind(epoch: number, steps: number): void {
    if (this.#epoch > epoch) this.history.dropLast();
    this.#epoch = epoch;
    this.#steps = steps;
  }

  /** Copies the bookmark as plain data. */
  data(): BookmarkData {
    const { epoch, history } = new History(this.history);
    return {
      ...this.recipe,
      epochsBefore: this.epochsBefore,
      history: { epoch, history },
      epoch: this.#epoch,
      steps: this.#steps,
    };
  }
}

/** Options of `fit` that belong to the recipe. */
type Given = Partial<Pick<FitRecipe, "batchSize" | "shuffle" | "seed">> & {
  readonly resume?: boolean;
  readonly classWeight?: ClassWeights;
  readonly initialEpoch?: number;
};

/**
 * Makes the bookmark at which a `fit` begins: its initial epoch or, with `resume`, the place where the last one stopped. A fit from an
 * epoch that the model has reached takes the orders that one long fit would take.
 *
 * @throws FeaturemapError `state` if there is nothing to resume; `value` if it has another recipe, or other data
 */
export function bookmarkFor(
  training: Training,
  given: Given,
  dataset: HostData | Dataset,
  compileSeed: number,
): Bookmark {
  const { batchSize = 32, shuffle = true, seed = compileSeed, resume, classWeight, initialEpoch: epoch = 0 } = given;
  const weighed = classWeight ? `, classes ${JSON.stringify(classWeight.weights)}` : "";
  const [samples, data] = [dataset.size, identityOf(dataset) + weighed];
  if (!resume) {
    const recipe = { samples, data, batchSize, shuffle, seed };
    const epochsBefore = Math.max(0, training.epochs - epoch);
    return new Bookmark({ ...recipe, epochsBefore, history: new History(), epoch, steps: 0 });
  }
  if (given.initialEpoch !== undefined)
    throw new FeaturemapError("value", "fit: resume goes on at its own epoch. Leave initialEpoch or resume out.");
  const { bookmark } = training;
  if (!bookmark)
    throw new FeaturemapError(
      "state",
      "fit: resume: the last training step was not of a fit. Leave resume out, or restore().",
    );
  for (const key of ["data", "batchSize", "shuffle", "seed"] as const) {
    const was = bookmark.recipe[key];
    const got = { ...given, data }[key] ?? was;
    if (got !== was)
      throw new FeaturemapError("value", `fit: resume: ${key} was ${was}, got ${got}. Leave it or resume out.`);
  }
  return new Bookmark(bookmark.data());
}

/** Number that separates the shuffle's random stream from those of the parameters. */
const SHUFFLE = 0x5eed;

/** Makes the seed of an epoch's order. */
export function orderSeed(seed: number, epoch: number): number {
  return seedOf(seed, SHUFFLE, epoch);
}
