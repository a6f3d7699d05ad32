import { FeaturemapError, knownKeys, optionalFunction } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import { type ColumnInputs, type DataInputs, HostData, hostData } from "../data/columns.ts";
import { Dataset, isDataset, upload } from "../data/dataset.ts";
import { createRuntime, type Runtime } from "../gpu/runtime.ts";
import { WEIGHT_ROLES } from "../graph/variable.ts";
import { type Architecture, trainableLayers } from "../network/architecture.ts";
import type { Network } from "../network/network.ts";
import { type LayerInfo, layersOf, summaryText } from "../network/summary.ts";
import type { Plan } from "../plan/plan.ts";
import { copyOf } from "../program/batch-slot.ts";
import type { Feed } from "../program/feed.ts";
import { countOf, variablesOf } from "../program/variables.ts";
import { bookmarkFor, type Training } from "../training/bookmark.ts";
import { WEIGH } from "../training/class-weight.ts";
import { runFit } from "../training/fit.ts";
import { type BatchOptions, checkFitOptions, type FitOptions } from "../training/fit-options.ts";
import type { History } from "../training/history.ts";
import {
  asLossesTake,
  assertFromHost,
  batchOptions,
  byteScalesOf,
  checkedWeights,
  checkLabels,
  dataOf,
  feedOf,
  isBatch,
  type Labelled,
  partsOf,
  splitCall,
  type WeightOptions,
} from "./calls.ts";
import { type CompileOptions, checkCompileOptions } from "./compile-options.ts";
import { Compilation, type CompiledModel } from "./compiled.ts";
import { INTERNALS, type ModelInternals } from "./internals.ts";
import { ModelLock } from "./model-lock.ts";
import { type ModelStats, statsOf } from "./stats.ts";

export interface Weight {
  /** `conv2d/kernel` */
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Figures by Keras's names: the loss and the metrics. */
export interface Evaluation {
  readonly loss: number;
  /** Accuracy, with `metrics: ["accuracy"]`. */
  readonly accuracy?: number;
  readonly [name: string]: number;
}

/** Numbers with their shape. */
export interface Prediction {
  readonly data: Float32Array;
  readonly shape: number[];
}

/**
 * Model: a network that is trained, evaluated and used for predictions on a GPU. Keras's `Model`.
 *
 * @typeParam P Result of `predict`: a prediction or, for outputs by name, an object of them.
 */
export class Model<P = Prediction> {
  readonly name: string;
  readonly #architecture: Architecture;
  #compilation: Compilation | undefined;
  readonly #lock = new ModelLock();
  readonly #training: Training = {
    epochs: 0,
    byteScales: {},
    bookmark: undefined,
    trainer: undefined,
    stop: false,
    stopped: undefined,
  };

  /** @internal Use `sequential` or `model`. */
  constructor(architecture: Architecture, name: string) {
    this.#architecture = architecture;
    this.name = name;
  }

  get [Symbol.toStringTag](): string {
    return "Model";
  }

  /** Layers in order, as far as they are built: the table of `summary` as data. */
  get layers(): readonly LayerInfo[] {
    return layersOf(this.#architecture.network);
  }

  /** Counts parameters and statistics, trainable and not. */
  countParams(): number {
    return countOf(this.#architecture.network?.variables ?? [], ...WEIGHT_ROLES);
  }

  /** Shape of one sample of the output, or of the first of several, once the input's shape is known. */
  get outputShape(): Shape | undefined {
    return this.#architecture.network?.outputs[0]?.shape;
  }

  /** Prints Keras's table of layers, shapes and parameters, and returns it. `print` defaults to `console.log`. */
  summary(options: { readonly print?: (text: string) => void } = {}): string {
    knownKeys(options, ["print"], "summary");
    optionalFunction(options.print, "summary: print");
    const compiled = this.#compilation?.compiled;
    // Keras makes an optimizer's slots when training begins.
    const trained = compiled?.plans.existing("train") ? compiled.settings.training?.optimizer : undefined;
    const variables = compiled && trained ? variablesOf(compiled.network, trained, undefined) : [];
    const text = summaryText(this.name, this.#architecture, trained ? countOf(variables, "slot", "rate") + 1 : 0);
    (options.print ?? console.log)(text);
    return text;
  }

  /**
   * Chooses loss, optimizer and device, and gives the parameters their first values. A model without loss and optimizer can only predict.
   * A model that is compiled again keeps its weights. Layers are trainable as they are now, until the next `compile`. Pipelines are
   * compiled when the first batch size is seen.
   *
   * @throws FeaturemapError `value` for a wrong option; `device` where there is no WebGPU; `limit` where it has no room
   */
  compile(options: CompileOptions = {}): Promise<void> {
    return this.#lock.exclusive("compile", async () => {
      const architecture = this.#architecture;
      if (architecture.layers.length === 0)
        throw new FeaturemapError("state", "compile: the model has no layers. Add some with model.add().");
      const chosen = checkCompileOptions(options, architecture.outputNames);
      const trainable = trainableLayers(architecture);
      await this.#lock.written;
      const kept = await this.#compilation?.compiled?.readKept();
      const ownsRuntime = options.runtime === undefined;
      const runtime = options.runtime ?? (await createRuntime());
      const compilation = new Compilation({ ...chosen, runtime, ownsRuntime }, trainable);
      try {
        if (architecture.network) {
          const compiled = await compilation.ready(architecture.network);
          if (kept) await compiled.writeKept(kept);
        }
        this.#lock.assertNotDisposed("compile");
      } catch (error) {
        compilation.dispose();
        throw error;
      }
      this.#compilation?.dispose("The model was compiled again.");
      this.#compilation = compilation;
      this.#training.bookmark = undefined;
    });
  }

  /**
   * Trains for a number of epochs, either on samples and labels, which are uploaded for the call, or on a `Dataset`. A model of
   * several inputs or outputs takes them by name: `fit({ image, place }, { digit, parity })`.
   *
   * @throws FeaturemapError before any GPU work: `shape`, `value` where data, labels or options do not suit the model;
   *   `limit` where the adapter cannot run the plan; `state` where the model is not compiled, disposed or busy
   */
  fit(dataset: Dataset, options?: FitOptions<Labelled>): Promise<History>;
  fit(x: ColumnInputs, y: ColumnInputs, options?: FitOptions<Labelled> & WeightOptions): Promise<History>;
  fit(
    x: ColumnInputs | Dataset,
    y?: ColumnInputs | FitOptions<Labelled>,
    options?: FitOptions<Labelled> & WeightOptions,
  ): Promise<History> {
    const run = async () => {
      const call = splitCall<FitOptions<Labelled>>(x, y, options, "fit");
      const fitOptions = checkFitOptions(call.options);
      const { validationData, classWeight } = fitOptions;
      const [training, rest] = partsOf(this.#check(call.data, "fit", true), fitOptions);
      const where = "fit: validationData";
      const held = validationData === undefined ? rest : this.#check(dataOf(validationData, where), where, true);
      const bookmark = bookmarkFor(this.#training, fitOptions, training, this.#compilation!.settings.seed);
      const byteScales = byteScalesOf(training, this.#architecture.network!);
      return this.#uploaded([training, ...(held ? [held] : [])], "fit", (compiled, [data, validation]) => {
        this.#training.byteScales = byteScales;
        const call = { model: this, compiled, options: fitOptions, training: this.#training, bookmark };
        const run = (feed: Feed) => runFit({ ...call, feed, validation: validation && this.#feed(validation) });
        return classWeight ? classWeight[WEIGH].weigh(this.#feed(data!), run) : run(this.#feed(data!));
      });
    };
    return this.#lock.exclusive("fit", run, true);
  }

  /** Computes the mean loss and the metrics over all samples. Throws as `fit` does. */
  evaluate(dataset: Dataset, options?: BatchOptions): Promise<Evaluation>;
  evaluate(x: ColumnInputs, y: ColumnInputs, options?: BatchOptions & WeightOptions): Promise<Evaluation>;
  evaluate(
    x: ColumnInputs | Dataset,
    y?: ColumnInputs | BatchOptions,
    options?: BatchOptions & WeightOptions,
  ): Promise<Evaluation> {
    return this.#readOnly("evaluate", () => {
      const call = splitCall<BatchOptions>(x, y, options, "evaluate");
      const batches = batchOptions(call.options, "evaluate");
      const data = this.#check(call.data, "evaluate", true);
      return this.#uploaded([data], "evaluate", async (compiled, [dataset]) => {
        const figures = await compiled.evaluate(this.#feed(dataset!), batches);
        batches.signal?.throwIfAborted();
        return { ...(figures ?? compiled.measures!.none()).logs };
      });
    });
  }

  /**
   * Predicts the output for each sample: [samples, ...output]; several outputs by name. The buffers of a small call (one batch, up to
   * 1 MiB) are kept for the next, as those of `trainOnBatch` are. Throws as `fit` does.
   */
  predict(x: ColumnInputs | Dataset, options: BatchOptions = {}): Promise<P> {
    return this.#readOnly("predict", async () => {
      const batches = batchOptions(options, "predict");
      const data = this.#check(isDataset(x) ? x : { x }, "predict", false);
      const batch = isBatch(data, batches.batchSize) ? copyOf(data) : undefined;
      const rows = batch
        ? await (await this.#ready("predict")).predictBatch(batch, (dataset) => this.#feed(dataset, false))
        : await this.#uploaded([data], "predict", (compiled, [dataset]) =>
            compiled.predict(this.#feed(dataset!, false), batches),
          );
      batches.signal?.throwIfAborted();
      const { outputs } = this.#architecture.network!;
      const predictions = outputs.map(({ shape }, i): Prediction => ({ data: rows[i]!, shape: [data.size, ...shape] }));
      const named = Object.fromEntries(outputs.map(({ name }, i) => [name, predictions[i]!]));
      return (this.#architecture.isSingle ? predictions[0] : named) as P;
    });
  }

  /**
   * Makes one training step on the given samples, as one batch. Returns the loss before the step. The batch's buffers are kept for the
   * next call: one with as many samples makes none. Throws as `fit` does.
   */
  trainOnBatch(x: ColumnInputs, y: ColumnInputs, options: WeightOptions = {}): Promise<Evaluation> {
    const run = async () => {
      if (isDataset(x))
        throw new FeaturemapError("value", "trainOnBatch takes samples and labels, got a Dataset. Use fit().");
      knownKeys(options, ["sampleWeight"], "trainOnBatch");
      const { sampleWeight } = options;
      const checked = this.#check({ x, y, sampleWeight }, "trainOnBatch", true) as HostData;
      assertFromHost(checked, "trainOnBatch");
      const data = copyOf(checked);
      const compiled = await this.#ready("trainOnBatch");
      this.#training.byteScales = byteScalesOf(data, compiled.network);
      this.#training.bookmark = undefined;
      const { logs } = await compiled.trainOnBatch(data, (dataset) => this.#feed(dataset));
      return { ...logs };
    };
    return this.#lock.exclusive("trainOnBatch", run, true);
  }

  /**
   * Reads all parameters and statistics, layer by layer, kernel before bias: the order and the layouts of Keras's `get_weights`. They are
   * of one moment, also while `fit` runs.
   */
  getWeights(): Promise<Weight[]> {
    return this.#readOnly("getWeights", async () => {
      const { variables, network } = await this.#ready("getWeights");
      const values = await variables.readWeights();
      return network.weights.map(({ path, shape }, i) => ({ name: path, shape, data: values[i]! }));
    });
  }

  /**
   * Replaces all parameters and statistics, in the order of `getWeights`. Names are ignored.
   *
   * @throws FeaturemapError `shape` if number or shapes differ; then nothing has changed
   */
  setWeights(weights: readonly { readonly shape?: Shape; readonly data: ArrayLike<number> }[]): Promise<void> {
    return this.#setWeights("setWeights", (network) => checkedWeights(weights, network.weights));
  }

  /** Gives the cost of training so far, and the memory it holds. Steps are those of `fit` and `trainOnBatch`. */
  stats(): ModelStats {
    return statsOf(this.#compilation?.compiled, this.countParams());
  }

  /** Flag by which a callback ends `fit`, after the submits that are under way, as a `signal` does. Each `fit` begins with false. */
  get stopTraining(): boolean {
    return this.#training.stop;
  }

  set stopTraining(stop: boolean) {
    this.#training.stop = stop;
    if (stop) this.#training.stopped?.();
  }

  /** Plan of a training step, once one was made. Print it with `String(model.plan)`. */
  get plan(): Plan | undefined {
    return this.#compilation?.compiled?.plans.existing("train")?.program.plan;
  }

  get runtime(): Runtime | undefined {
    return this.#compilation?.settings.runtime;
  }

  /** Frees every GPU buffer of the model, and its runtime if the model made it. The model cannot be used afterwards. */
  dispose(): void {
    this.#lock.dispose();
    this.#compilation?.dispose();
    this.#compilation = undefined;
  }

  /** For functions beside the class. Published, as their types need it. */
  get [INTERNALS](): ModelInternals {
    return {
      architecture: this.#architecture,
      training: this.#training,
      ready: (where) => this.#readOnly(where, () => this.#ready(where)),
      assertIdle: (where) => this.#lock.assertIdle(where),
      exclusive: (where, run) => this.#lock.exclusive(where, run),
      write: (where, run) => this.#lock.write(where, run),
      setWeights: (where, valuesOf) => this.#setWeights(where, valuesOf),
    };
  }

  /** @internal @throws FeaturemapError `state` unless layers can be added: before `compile` */
  protected assertCanGrow(where: string): void {
    this.#lock.assertIdle(where);
    if (this.#compilation) throw new FeaturemapError("state", `${where}: layers cannot be added after compile().`);
  }

  /** Gives the compiled model, once its variables are there and earlier writes are done. */
  async #ready(where: string): Promise<CompiledModel> {
    const { compilation, network } = this.#usable(where);
    await this.#lock.written;
    const compiled = await compilation.ready(network);
    compilation.lifetime.assertLive();
    return compiled;
  }

  async #setWeights(where: string, valuesOf: (network: Network) => Float32Array[]): Promise<void> {
    const { compilation, network } = this.#usable(where);
    const values = valuesOf(network);
    return this.#lock.write(where, async () => {
      const { variables } = await compilation.ready(network);
      await variables.writeWeights(values);
    });
  }

  #usable(where: string): { readonly compilation: Compilation; readonly network: Network } {
    this.#lock.assertNotDisposed(where);
    const compilation = this.#compilation;
    const { network } = this.#architecture;
    if (compilation && network) return { compilation, network };
    const why = compilation
      ? "the input's shape is not known yet: give the first layer an inputShape"
      : "await model.compile() first";
    throw new FeaturemapError("state", `${where} cannot go on: ${why}.`);
  }

  /** Checks data before they are uploaded. */
  #check(input: Dataset | DataInputs, where: string, labelled: boolean): HostData | Dataset {
    if (!this.#compilation) throw new FeaturemapError("state", `${where}: await model.compile() first.`);
    const { training } = this.#compilation.settings;
    if (labelled && !training) {
      const why = "the model was compiled without loss and optimizer, only to predict";
      throw new FeaturemapError("state", `${where}: ${why}. Give compile() both.`);
    }
    const data = input instanceof Dataset ? input : hostData(input);
    const network = this.#architecture.networkFor(data, `${where}: x`);
    if (labelled) checkLabels(data, network, training!, where);
    this.#architecture.keep(network);
    return labelled && data instanceof HostData ? asLossesTake(data, network, training!) : data;
  }

  #feed(dataset: Dataset, labelled = true): Feed {
    const training = labelled ? this.#compilation!.settings.training : undefined;
    return feedOf(dataset, this.#architecture.network!, training, this.#training.byteScales);
  }

  /**
   * Uploads data that are not on the GPU yet, runs, and frees them. All is written before the promise is returned, since the arrays are
   * the caller's.
   */
  async #uploaded<T>(
    data: readonly (HostData | Dataset)[],
    where: string,
    run: (compiled: CompiledModel, datasets: readonly Dataset[]) => Promise<T>,
  ): Promise<T> {
    const { runtime } = this.#usable(where).compilation.settings;
    const uploads = data.map((each) => (each instanceof HostData ? upload(runtime, each) : each));
    const done = await Promise.allSettled(uploads);
    try {
      return await run(await this.#ready(where), await Promise.all(uploads));
    } finally {
      done.forEach((upload, i) => {
        if (upload.status === "fulfilled" && upload.value !== data[i]) upload.value.dispose();
      });
    }
  }

  /** Runs a call that makes no training step. It may come at any time, from callbacks too. */
  async #readOnly<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#lock.assertNotDisposed(name);
    return run();
  }
}
