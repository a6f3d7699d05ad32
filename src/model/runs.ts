import { FeaturemapError, knownKeys } from "../base/errors.ts";
import { type ColumnInputs, type DataInputs, HostData, hostData } from "../data/columns.ts";
import { Dataset, isDataset, upload } from "../data/dataset.ts";
import { copyOf } from "../program/batch-slot.ts";
import type { Feed } from "../program/feed.ts";
import { type Bookmark, bookmarkFor, type Training } from "../training/bookmark.ts";
import type { Callback, TrainedModel } from "../training/callback.ts";
import { WEIGH } from "../training/class-weight.ts";
import { type FitCall, type HeldOut, runFit } from "../training/fit.ts";
import { checkFitOptions, type EvaluateOptions, type FitOptions } from "../training/fit-options.ts";
import type { History } from "../training/history.ts";
import type { Hooks } from "../training/hooks.ts";
import { batchHooks, evaluateWith, withCallbacks } from "../training/with-callbacks.ts";
import {
  asLossesTake,
  assertFromHost,
  batchOptions,
  byteScalesOf,
  checkLabels,
  dataOf,
  feedOf,
  isBatch,
  partsOf,
  splitCall,
  type WeightOptions,
} from "./calls.ts";
import type { Compilation, CompiledModel } from "./compiled.ts";
import type { Evaluation, Prediction, RunsOf } from "./run-types.ts";
import {
  type BatchStream,
  type HeldOutData,
  isStream,
  labelledOf,
  STREAM,
  type StreamOptions,
  type StreamRuns,
} from "./stream-door.ts";

/** Runs of a model over data: the calls that train it, evaluate it and ask it for predictions. */
export class Runs<P> implements StreamRuns<P> {
  readonly model: TrainedModel;
  readonly of: RunsOf;

  constructor(model: TrainedModel, of: RunsOf) {
    this.model = model;
    this.of = of;
  }

  fit(
    x: ColumnInputs | Dataset | BatchStream,
    y: ColumnInputs | FitOptions<HeldOutData> | undefined,
    options: (FitOptions<HeldOutData> & WeightOptions) | undefined,
  ): Promise<History> {
    const { architecture, lock, training } = this.of;
    if (isStream(x)) return x[STREAM].fit(this, y as FitOptions<HeldOutData>, options);
    const run = async () => {
      const call = splitCall<FitOptions<HeldOutData>>(x, y, options, "fit");
      const fitOptions = checkFitOptions(call.options);
      const { validationData, classWeight } = fitOptions;
      const [trained, rest] = partsOf(this.check(call.data, "fit", true), fitOptions);
      const where = "fit: validationData";
      const given = labelledOf(fitOptions);
      const held = given === undefined ? rest : this.check(dataOf(given, where), where, true);
      const bookmark = bookmarkFor(training, fitOptions, trained, this.#compilation.settings.seed);
      const byteScales = byteScalesOf(trained, architecture.network!);
      return this.uploaded([trained, ...(held ? [held] : [])], "fit", (compiled, [data, validation]) => {
        training.byteScales = byteScales;
        const steps = Math.ceil(trained.size / bookmark.recipe.batchSize);
        const heldOut = isStream(validationData)
          ? validationData[STREAM].heldOut(this, compiled, fitOptions)
          : validation && heldOutOf(compiled, this.feed(validation));
        const call = {
          model: this.model,
          compiled,
          steps,
          validation: heldOut,
          options: fitOptions,
          training,
          bookmark,
        };
        const run = (feed: Feed) => runFit({ ...call, trainer: trainerOf(compiled, feed, training, bookmark) });
        return classWeight ? classWeight[WEIGH].weigh(this.feed(data!), run) : run(this.feed(data!));
      });
    };
    return lock.exclusive("fit", run, true);
  }

  evaluate(
    x: ColumnInputs | Dataset | BatchStream,
    y: ColumnInputs | EvaluateOptions | undefined,
    options: (EvaluateOptions & WeightOptions) | undefined,
  ): Promise<Evaluation> {
    if (isStream(x)) return x[STREAM].evaluate(this, y as StreamOptions, options);
    return this.of.readOnly("evaluate", () => {
      const call = splitCall<EvaluateOptions>(x, y, options, "evaluate");
      const { callbacks, ...batches } = batchOptions(call.options, "evaluate");
      const data = this.check(call.data, "evaluate", true);
      return this.uploaded([data], "evaluate", async (compiled, [dataset]) => {
        const feed = this.feed(dataset!);
        const aborted = () => batches.signal?.aborted === true;
        const figures = await this.#followed(compiled, data.size, { ...batches, callbacks }, (hooks) =>
          evaluateWith(hooks, (settings) => compiled.evaluate(feed, { ...batches, ...settings }), aborted),
        );
        batches.signal?.throwIfAborted();
        return { ...(figures ?? compiled.measures!.none()).logs };
      });
    });
  }

  predict(x: ColumnInputs | Dataset | BatchStream, options: EvaluateOptions): Promise<P> {
    if (isStream(x)) return x[STREAM].predict(this, options);
    return this.of.readOnly("predict", async () => {
      const sized = (x as Dataset | undefined)?.sized?.(options, "predict") ?? options;
      const { callbacks, ...batches } = batchOptions(sized, "predict");
      const data = this.check(isDataset(x) ? x : { x }, "predict", false);
      const batch = isBatch(data, batches.batchSize) ? copyOf(data) : undefined;
      const followed = (compiled: CompiledModel, run: (hooks: Hooks) => Promise<Float32Array[]>) =>
        this.#followed(compiled, data.size, { ...batches, callbacks }, async (hooks) => {
          await hooks.call((callback) => callback.onPredictBegin?.());
          const rows = await run(hooks);
          if (!batches.signal?.aborted) await hooks.call((callback) => callback.onPredictEnd?.());
          return rows;
        });
      const rows = batch
        ? await followed(await this.of.ready("predict"), (hooks) => this.#predictFew(batch, "predict", hooks))
        : await this.uploaded([data], "predict", (compiled, [dataset]) =>
            followed(compiled, (hooks) => {
              const settings = { ...batches, ...batchHooks(hooks, "Predict") };
              return compiled.predict(this.feed(dataset!, false), settings);
            }),
          );
      batches.signal?.throwIfAborted();
      return this.predictions(rows, data.size);
    });
  }

  trainOnBatch(x: ColumnInputs, y: ColumnInputs, options: WeightOptions): Promise<Evaluation> {
    const run = async () => {
      const data = this.#labelledBatch(x, y, options, "trainOnBatch", "fit");
      const compiled = await this.of.ready("trainOnBatch");
      this.of.training.byteScales = byteScalesOf(data, compiled.network);
      this.of.training.bookmark = undefined;
      const { logs } = await compiled.trainOnBatch(data, (dataset) => this.feed(dataset));
      return { ...logs };
    };
    return this.of.lock.exclusive("trainOnBatch", run, true);
  }

  testOnBatch(x: ColumnInputs, y: ColumnInputs, options: WeightOptions): Promise<Evaluation> {
    return this.of.readOnly("testOnBatch", async () => {
      const data = this.#labelledBatch(x, y, options, "testOnBatch", "evaluate");
      const compiled = await this.of.ready("testOnBatch");
      const { logs } = await compiled.testOnBatch(data, (dataset) => this.feed(dataset));
      return { ...logs };
    });
  }

  predictOnBatch(x: ColumnInputs): Promise<P> {
    return this.of.readOnly("predictOnBatch", async () => {
      const data = this.#batch({ x }, "predictOnBatch", "predict");
      return this.predictions(await this.#predictFew(data, "predictOnBatch"), data.size);
    });
  }

  get #compilation(): Compilation {
    return this.of.compilation()!;
  }

  /** Runs an evaluation or a prediction that callbacks follow. */
  #followed<T>(
    { lifetime }: CompiledModel,
    samples: number,
    {
      callbacks,
      batchSize,
      signal,
    }: {
      readonly callbacks: readonly Callback[];
      readonly batchSize: number;
      readonly signal: AbortSignal | undefined;
    },
    run: (hooks: Hooks) => Promise<T>,
  ): Promise<T> {
    const params = { epochs: 1, steps: Math.ceil(samples / batchSize), batchSize };
    return withCallbacks({ model: this.model, lifetime, callbacks, signal, params }, run);
  }

  /** Predicts the outputs of one batch, into buffers that are kept. */
  async #predictFew(batch: HostData, where: string, hooks?: Hooks): Promise<Float32Array[]> {
    const compiled = await this.of.ready(where);
    await hooks?.call((callback) => callback.onPredictBatchBegin?.(0));
    const rows = await compiled.predictBatch(batch, (dataset) => this.feed(dataset, false));
    await hooks?.call((callback) => callback.onPredictBatchEnd?.(0));
    return rows;
  }

  /** Gives each output's rows with their shape, by name if there are several outputs. */
  predictions(rows: readonly Float32Array[], samples: number): P {
    const { network, isSingle } = this.of.architecture;
    const { outputs } = network!;
    const predictions = outputs.map(({ shape }, i): Prediction => ({ data: rows[i]!, shape: [samples, ...shape] }));
    const named = Object.fromEntries(outputs.map(({ name }, i) => [name, predictions[i]!]));
    return (isSingle ? predictions[0] : named) as P;
  }

  #labelledBatch(x: ColumnInputs, y: ColumnInputs, options: WeightOptions, where: string, instead: string): HostData {
    if (isDataset(x)) throw takesNoDataset(where, "samples and labels", instead);
    knownKeys(options, ["sampleWeight"], where);
    const { sampleWeight } = options;
    return this.#batch({ x, y, sampleWeight }, where, instead);
  }

  /** Checks and copies samples from the host. They have labels if `y` is among the inputs. */
  #batch(inputs: Partial<DataInputs> & Pick<DataInputs, "x">, where: string, instead: string): HostData {
    if (isDataset(inputs.x)) throw takesNoDataset(where, "samples", instead);
    const checked = this.check(inputs as DataInputs, where, "y" in inputs) as HostData;
    assertFromHost(checked, where);
    return copyOf(checked);
  }

  /** Checks data before they are uploaded. */
  check(input: Dataset | DataInputs, where: string, labelled: boolean): HostData | Dataset {
    const { architecture } = this.of;
    const compilation = this.of.compilation();
    if (!compilation) throw new FeaturemapError("state", `${where}: await model.compile() first.`);
    const { training } = compilation.settings;
    if (labelled && !training) {
      const why = "the model was compiled without a loss";
      throw new FeaturemapError("state", `${where}: ${why}. Give compile() one.`);
    }
    const data = input instanceof Dataset ? input : hostData(input);
    const network = architecture.networkFor(data, `${where}: x`);
    if (labelled) checkLabels(data, network, training!, where);
    architecture.keep(network);
    return labelled && data instanceof HostData ? asLossesTake(data, network, training!) : data;
  }

  feed(dataset: Dataset, labelled = true): Feed {
    const training = labelled ? this.#compilation.settings.training : undefined;
    return feedOf(dataset, this.of.architecture.network!, training, this.of.training.byteScales);
  }

  /**
   * Uploads data that are not on the GPU yet, runs, and frees them. All is written before the promise is returned, since the arrays are
   * the caller's.
   */
  async uploaded<T>(
    data: readonly (HostData | Dataset)[],
    where: string,
    run: (compiled: CompiledModel, datasets: readonly Dataset[]) => Promise<T>,
  ): Promise<T> {
    const { runtime } = this.#compilation.settings;
    const uploads = data.map((each) => (each instanceof HostData ? upload(runtime, each) : each));
    const done = await Promise.allSettled(uploads);
    try {
      return await run(await this.of.ready(where), await Promise.all(uploads));
    } finally {
      done.forEach((upload, i) => {
        if (upload.status === "fulfilled" && upload.value !== data[i]) upload.value.dispose();
      });
    }
  }
}

/** Gives what trains on a data set. */
function trainerOf(compiled: CompiledModel, feed: Feed, training: Training, bookmark: Bookmark): FitCall["trainer"] {
  return async (settings) => {
    training.trainer = await compiled.trainer(feed, settings);
    training.bookmark = bookmark;
    return training.trainer;
  };
}

/** Gives what evaluates a data set after epochs. */
function heldOutOf(compiled: CompiledModel, feed: Feed): HeldOut {
  return { samples: feed.dataset.size, evaluate: (settings) => compiled.evaluate(feed, settings) };
}

function takesNoDataset(where: string, takes: string, instead: string): FeaturemapError {
  return new FeaturemapError("value", `${where} takes ${takes}, got a Dataset. Use ${instead}().`);
}
