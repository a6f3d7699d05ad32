import { wrong } from "../base/errors.ts";
import type { DataInputs, HostData } from "../data/columns.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Feed } from "../program/feed.ts";
import type { TrainedModel } from "../training/callback.ts";
import type { HeldOut } from "../training/fit.ts";
import type { EvaluateOptions, FitOptions } from "../training/fit-options.ts";
import type { History } from "../training/history.ts";
import type { Labelled } from "./calls.ts";
import type { CompiledModel } from "./compiled.ts";
import type { Evaluation, RunsOf } from "./run-types.ts";

/** Key of the calls on a stream. Only apps that import `stream` ship them. */
export const STREAM: unique symbol = /* @__PURE__ */ Symbol("stream");

/** Batches that come one after the other, from `stream`, for `fit`, `evaluate` and `predict`. */
export interface BatchStream {
  /** @internal */
  readonly [STREAM]: StreamCalls;
}

/** Data that `fit` takes for validation. */
export type HeldOutData = Labelled | BatchStream;

/** Options of `fit` on a stream. */
export interface StreamFitOptions extends FitOptions<HeldOutData> {
  /** Batches of an epoch. The next epoch goes on after them. Default: until they end. */
  readonly stepsPerEpoch?: number;
}

/** Options of `evaluate` and `predict` on a stream. */
export interface StreamOptions extends EvaluateOptions {
  /** Batches that are read. Default: until they end. */
  readonly steps?: number;
}

/** What a stream's calls need of a model. */
export interface StreamRuns<P> {
  readonly model: TrainedModel;
  readonly of: RunsOf;
  /** Checks data before they are uploaded. */
  check(input: Dataset | DataInputs, where: string, labelled: boolean): HostData | Dataset;
  /** Gives a data set as the model reads it. */
  feed(dataset: Dataset, labelled: boolean): Feed;
  /** Uploads data that are not on the GPU yet, runs, and frees them. */
  uploaded<T>(
    data: readonly (HostData | Dataset)[],
    where: string,
    run: (compiled: CompiledModel, datasets: readonly Dataset[]) => Promise<T>,
  ): Promise<T>;
  /** Gives each output's rows with their shape. */
  predictions(rows: readonly Float32Array[], samples: number): P;
}

/** Calls of a model on a stream. */
export interface StreamCalls {
  fit<P>(runs: StreamRuns<P>, options: StreamFitOptions | undefined, more: unknown): Promise<History>;
  evaluate<P>(runs: StreamRuns<P>, options: StreamOptions | undefined, more: unknown): Promise<Evaluation>;
  predict<P>(runs: StreamRuns<P>, options: StreamOptions): Promise<P>;
  /** Gives what evaluates the stream after epochs. */
  heldOut<P>(
    runs: StreamRuns<P>,
    compiled: CompiledModel,
    options: Pick<FitOptions<unknown>, "validationSteps" | "signal">,
  ): HeldOut;
}

export function isStream(data: unknown): data is BatchStream {
  return typeof data === "object" && data !== null && STREAM in data;
}

/** Gives the data of a validation that are no stream. @throws FeaturemapError `value` for `validationSteps` of them */
export function labelledOf({ validationData, validationSteps }: FitOptions<HeldOutData>): Labelled | undefined {
  if (isStream(validationData)) return undefined;
  if (validationSteps) throw wrong("fit: validationSteps", "be of a stream", validationSteps);
  return validationData;
}
