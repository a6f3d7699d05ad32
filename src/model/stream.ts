import { FeaturemapError, knownKeys, positiveInteger, wrong } from "../base/errors.ts";
import { elements } from "../base/shape.ts";
import { assertSource, BatchReader, emptyStream, type StreamSource } from "../data/batches.ts";
import { columnsOf, type DataInputs, type HostColumn, HostData } from "../data/columns.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Lifetime } from "../program/lifetime.ts";
import { Bookmark } from "../training/bookmark.ts";
import { GUARD } from "../training/callback.ts";
import { type ClassWeights, WEIGH } from "../training/class-weight.ts";
import { type HeldOut, runFit } from "../training/fit.ts";
import { checkFitOptions, type EvaluateOptions, FIT_OPTIONS, type FitOptions } from "../training/fit-options.ts";
import { History } from "../training/history.ts";
import type { Hooks } from "../training/hooks.ts";
import { type FeederOf, StreamFeeder } from "../training/stream-feeder.ts";
import { streamTrainer, sweepStream } from "../training/stream-trainer.ts";
import { noCounts } from "../training/sweep.ts";
import { evaluateWith, withCallbacks } from "../training/with-callbacks.ts";
import { assertFromHost, batchOptions, byteScalesOf, dataOf } from "./calls.ts";
import type { CompiledModel } from "./compiled.ts";
import type { Evaluation } from "./run-types.ts";
import {
  type BatchStream,
  isStream,
  labelledOf,
  STREAM,
  type StreamCalls,
  type StreamFitOptions,
  type StreamOptions,
  type StreamRuns,
} from "./stream-door.ts";
import { predictBatches } from "./stream-predict.ts";

/**
 * Makes a stream of batches for `fit`, `evaluate` and `predict`: of a generator, sync or async, of an iterable, or of a function that makes
 * one. A batch is `[x, y, sampleWeight]` or `{ x, y, sampleWeight }`; one without labels may be its samples alone. Its numbers are read
 * before the next batch is asked for, so its arrays may be used again.
 *
 * While the GPU trains on a batch, the next is made and uploaded. A function or an iterable is read anew for each pass; a generator gives
 * its batches once. With `stepsPerEpoch`, epochs go on where the one before has ended, as in Keras
 * (`keras/src/trainers/epoch_iterator.py`).
 *
 * @example
 * async function* batches() {
 *   for (const url of urls) yield await batchOf(url); // [x, y]
 * }
 * await model.fit(stream(batches), { epochs: 10 });
 * @throws FeaturemapError `value` for something that gives no batches
 */
export function stream(source: StreamSource): BatchStream {
  assertSource(source, "stream: source");
  const calls: StreamCalls = {
    fit: (runs, options, more) => fit(source, runs, options, more),
    evaluate: (runs, options, more) => evaluate(source, runs, options, more),
    predict: (runs, options) => predict(source, runs, options),
    heldOut: (runs, compiled, { validationSteps, signal }) => {
      checkedSteps({ validationSteps }, "fit");
      return heldOut(
        runs,
        compiled,
        validationSteps,
        readerOf(source, "fit: validationData", signal, compiled.lifetime),
      );
    },
  };
  return {
    [STREAM]: calls,
    get [Symbol.toStringTag]() {
      return "BatchStream";
    },
  } as BatchStream;
}

const WHERE_HELD = "fit: validationData";

/** Reads batches until the signal aborts or the model is gone. `close` it in the end. */
function readerOf(
  source: StreamSource,
  where: string,
  signal: AbortSignal | undefined,
  lifetime: Lifetime,
): { readonly reader: BatchReader; close(): void } {
  const reader = new BatchReader(source, where);
  const leave = () => reader.leave();
  if (signal?.aborted) leave();
  signal?.addEventListener("abort", leave);
  const atEnd = lifetime.disposeAtEnd({ dispose: leave });
  const close = () => {
    signal?.removeEventListener("abort", leave);
    atEnd.cancel();
    reader.close();
  };
  return { reader, close };
}

/** Checks a batch, whose numbers must come from the host, and weighs its classes. */
function checked<P>(
  runs: StreamRuns<P>,
  batch: DataInputs,
  where: string,
  { labelled, classWeight }: { readonly labelled: boolean; readonly classWeight?: ClassWeights | undefined },
): HostData {
  const data = runs.check(labelled ? batch : { x: batch.x }, where, labelled) as HostData;
  assertFromHost(data, where);
  return classWeight ? weighed(data, classWeight) : data;
}

function weighed(data: HostData, classWeight: ClassWeights): HostData {
  const { check, factors } = classWeight[WEIGH];
  const labels = columnsOf(data, "label");
  check(labels);
  const [label] = labels as [HostColumn];
  const [given] = columnsOf(data, "weight");
  const numbers = (column: HostColumn) => column.words as Float32Array | Uint32Array;
  const words = factors(numbers(label), elements(label.shape), given && numbers(given));
  const none = { name: undefined, scale: undefined, largestClass: undefined, buffer: undefined };
  const weight: HostColumn = { ...none, role: "weight", shape: [], dtype: "f32", words };
  return new HostData({ size: data.size, columns: [...data.columns.filter(({ role }) => role !== "weight"), weight] });
}

/** Reads the first batch, which tells what the network's inputs are, and puts it back. */
async function firstOf<P>(
  runs: StreamRuns<P>,
  reader: BatchReader,
  where: string,
  labelled: boolean,
  signal: AbortSignal | undefined,
): Promise<HostData | undefined> {
  const batch = await reader.next();
  if (signal?.aborted) return undefined;
  if (!batch) throw emptyStream(where);
  const data = checked(runs, batch, where, { labelled });
  reader.unread(batch);
  return data;
}

function feederOf<P>(
  runs: StreamRuns<P>,
  compiled: CompiledModel,
  where: string,
  {
    labelled,
    ...options
  }: { labelled: boolean; classWeight?: ClassWeights | undefined; ended?: Promise<unknown> | undefined },
): FeederOf {
  return {
    runtime: compiled.settings.runtime,
    sweeper: compiled.sweeper,
    check: (batch) => checked(runs, batch, where, { labelled, ...options }),
    feedOf: (dataset) => runs.feed(dataset, labelled),
    ended: options.ended,
  };
}

/** Gives the lifetime of the compiled model. @throws FeaturemapError `state` where it is not compiled */
function lifetimeOf<P>(runs: StreamRuns<P>, where: string): Lifetime {
  const compilation = runs.of.compilation();
  if (!compilation) throw new FeaturemapError("state", `${where}: await model.compile() first.`);
  return compilation.lifetime;
}

/** @throws FeaturemapError `value` for options that a stream has no use for */
function assertOptions(options: FitOptions<unknown> & EvaluateOptions, where: string, more: unknown): void {
  if (more !== undefined)
    throw new FeaturemapError("value", `${where}(stream, options): a stream brings its own labels and weights.`);
  if (options.batchSize !== undefined)
    throw wrong(`${where}: batchSize`, "be left out: batches are as the stream gives them", options.batchSize);
  if (options.resume) throw wrong(`${where}: resume`, "be left out: a stream cannot be replayed", true);
  if (options.validationSplit)
    throw wrong(`${where}: validationSplit`, "be of arrays. Give validationData", options.validationSplit);
  if (options.callbacks?.some((callback) => callback[GUARD]))
    throw new FeaturemapError(
      "value",
      `${where}: terminateOnNaN makes an epoch's steps again, but a stream cannot be replayed. Leave it out.`,
    );
}

function fit<P>(
  source: StreamSource,
  runs: StreamRuns<P>,
  given: StreamFitOptions | undefined,
  more: unknown,
): Promise<History> {
  const run = async () => {
    if (given !== undefined) knownKeys(given, [...FIT_OPTIONS, "stepsPerEpoch"], "fit");
    const { stepsPerEpoch, ...rest } = given ?? {};
    const options = { ...checkFitOptions(rest), ...checkedSteps({ stepsPerEpoch }, "fit") };
    assertOptions(options, "fit", more);
    const { validationData, signal } = options;
    const lifetime = lifetimeOf(runs, "fit");
    const arrays = labelledOf(options);
    const held = arrays && runs.check(dataOf(arrays, WHERE_HELD), WHERE_HELD, true);
    const { reader, close } = readerOf(source, "fit", signal, lifetime);
    const firstBatch = () => firstOf(runs, reader, "fit", true, signal);
    try {
      // The network may not know its inputs' shapes before.
      const first = held ? undefined : await firstBatch();
      if (!held && !first) return new History();
      return await runs.uploaded(held ? [held] : [], "fit", async (compiled, [dataset]) => {
        const validation = isStream(validationData)
          ? validationData[STREAM].heldOut(runs, compiled, options)
          : dataset && heldOutDataset(runs, compiled, dataset);
        return train(runs, compiled, reader, first ?? (await firstBatch()), { ...options, validation });
      });
    } finally {
      close();
    }
  };
  return runs.of.lock.exclusive("fit", run, true);
}

function heldOutDataset<P>(runs: StreamRuns<P>, compiled: CompiledModel, dataset: Dataset): HeldOut {
  const { size: samples } = dataset;
  return { samples, evaluate: (settings) => compiled.evaluate(runs.feed(dataset, true), settings) };
}

type Steps = { readonly stepsPerEpoch: number | undefined };

function train<P>(
  runs: StreamRuns<P>,
  compiled: CompiledModel,
  reader: BatchReader,
  first: HostData | undefined,
  { validation, stepsPerEpoch, ...options }: FitOptions<unknown> & Steps & { readonly validation: HeldOut | undefined },
): Promise<History> {
  const { training } = runs.of;
  const { epochs = 1, initialEpoch = 0, classWeight } = options;
  if (first) training.byteScales = byteScalesOf(first, compiled.network);
  const size = first?.size ?? 1;
  const place = {
    epochsBefore: Math.max(0, training.epochs - initialEpoch),
    history: new History(),
    epoch: initialEpoch,
    steps: 0,
  };
  let steps = stepsPerEpoch;
  return runFit({
    model: runs.model,
    compiled,
    options,
    training,
    validation,
    bookmark: new Bookmark({ samples: size, data: "a stream", batchSize: size, shuffle: false, seed: 0, ...place }),
    get steps() {
      return steps;
    },
    trainer: async (settings) => {
      // What was trained by a stream cannot be gone on with: a stream cannot be replayed.
      training.bookmark = undefined;
      const of = feederOf(runs, compiled, "fit", { labelled: true, classWeight, ended: settings.ended });
      const feeder = new StreamFeeder(of, reader, "train");
      const onSteps = (made: number) => {
        steps = made;
        compiled.datasetBytes = feeder.bytes;
      };
      const plan = { stepsPerEpoch, from: initialEpoch, epochs, onSteps };
      return streamTrainer(compiled, feeder, settings, compiled.counts, plan);
    },
  });
}

/** Evaluates a stream, again and again: from its beginning if it can be read anew, else where it stands. */
function heldOut<P>(
  runs: StreamRuns<P>,
  compiled: CompiledModel,
  steps: number | undefined,
  { reader, close }: ReturnType<typeof readerOf>,
): HeldOut {
  const feeder = new StreamFeeder(feederOf(runs, compiled, WHERE_HELD, { labelled: true }), reader, "evaluate");
  return {
    samples: undefined,
    evaluate: (settings) =>
      compiled.sweeper.inTurn(async () => {
        reader.restart();
        feeder.limit(steps ?? Number.POSITIVE_INFINITY);
        const until = steps ?? Number.POSITIVE_INFINITY;
        const figures = await sweepStream(compiled, "inference", feeder, settings, { counts: noCounts(), until });
        if (!figures && !settings.signal?.aborted) throw emptyStream(WHERE_HELD);
        return figures;
      }),
    dispose: () => {
      close();
      feeder.dispose();
    },
  };
}

/** Checks numbers of steps. */
function checkedSteps<T extends Readonly<Record<string, number | undefined>>>(steps: T, where: string): T {
  for (const [name, count] of Object.entries(steps))
    if (count !== undefined) positiveInteger(count, `${where}: ${name}`);
  return steps;
}

/** Options of a call that makes no training step. */
function stepOptions(options: StreamOptions = {}, where: string, more?: unknown) {
  const { steps, ...rest } = options;
  checkedSteps({ steps }, where);
  const checked = batchOptions(rest, where);
  assertOptions(rest, where, more);
  return { ...checked, steps };
}

function evaluate<P>(
  source: StreamSource,
  runs: StreamRuns<P>,
  options: StreamOptions | undefined,
  more: unknown,
): Promise<Evaluation> {
  const where = "evaluate";
  return runs.of.readOnly(where, async () => {
    const { steps, callbacks, ...settings } = stepOptions(options, where, more);
    const { signal } = settings;
    const { reader, close } = readerOf(source, where, signal, lifetimeOf(runs, where));
    try {
      const first = await firstOf(runs, reader, where, true, signal);
      signal?.throwIfAborted();
      const compiled = await runs.of.ready(where);
      const feeder = new StreamFeeder(feederOf(runs, compiled, where, { labelled: true }), reader, "evaluate");
      const until = steps ?? Number.POSITIVE_INFINITY;
      feeder.limit(until);
      const run = (hooks: Hooks) =>
        evaluateWith(
          hooks,
          (hooked) =>
            compiled.sweeper.inTurn(() =>
              sweepStream(compiled, "inference", feeder, { ...settings, ...hooked }, { counts: noCounts(), until }),
            ),
          () => signal?.aborted === true,
        );
      const params = { epochs: 1, steps, batchSize: first!.size };
      const call = { model: runs.model, lifetime: compiled.lifetime, callbacks, signal, params };
      const figures = await withCallbacks(call, run).finally(() => feeder.dispose());
      signal?.throwIfAborted();
      return { ...(figures ?? compiled.measures!.none()).logs };
    } finally {
      close();
    }
  });
}

function predict<P>(source: StreamSource, runs: StreamRuns<P>, options: StreamOptions): Promise<P> {
  const where = "predict";
  return runs.of.readOnly(where, async () => {
    const { steps, callbacks, signal } = stepOptions(options, where);
    const { reader, close } = readerOf(source, where, signal, lifetimeOf(runs, where));
    try {
      const first = await firstOf(runs, reader, where, false, signal);
      signal?.throwIfAborted();
      const compiled = await runs.of.ready(where);
      const sizes = compiled.network.outputs.map(({ shape }) => elements(shape));
      const rowBytes = sizes.map((size) => size * 4);
      const of = feederOf(runs, compiled, where, { labelled: false });
      const feeder = new StreamFeeder(of, reader, "predict", rowBytes);
      feeder.limit(steps ?? Number.POSITIVE_INFINITY);
      const params = { epochs: 1, steps, batchSize: first!.size };
      const call = { model: runs.model, lifetime: compiled.lifetime, callbacks, signal, params };
      const run = (hooks: Hooks) =>
        compiled.sweeper.inTurn(() => predictBatches(compiled, feeder, sizes, { hooks, signal, steps }));
      const { rows, samples } = await withCallbacks(call, run).finally(() => feeder.dispose());
      signal?.throwIfAborted();
      return runs.predictions(rows, samples);
    } finally {
      close();
    }
  });
}
