import { FeaturemapError, knownKeys, optionalFunction } from "../base/errors.ts";
import type { Shape } from "../base/shape.ts";
import type { ColumnInputs } from "../data/columns.ts";
import type { Dataset } from "../data/dataset.ts";
import { createRuntime, type Runtime } from "../gpu/runtime.ts";
import { WEIGHT_ROLES } from "../graph/variable.ts";
import { type Architecture, trainableLayers } from "../network/architecture.ts";
import type { Network } from "../network/network.ts";
import { type LayerInfo, layersOf, summaryText } from "../network/summary.ts";
import type { Plan } from "../plan/plan.ts";
import { countOf, variablesOf } from "../program/variables.ts";
import type { Training } from "../training/bookmark.ts";
import type { EvaluateOptions, FitOptions } from "../training/fit-options.ts";
import type { History } from "../training/history.ts";
import { checkedWeights, type WeightOptions } from "./calls.ts";
import { type CompileOptions, checkCompileOptions } from "./compile-options.ts";
import { Compilation, type CompiledModel } from "./compiled.ts";
import { INTERNALS, type ModelInternals } from "./internals.ts";
import { ModelLock } from "./model-lock.ts";
import type { Evaluation, Prediction } from "./run-types.ts";
import { Runs } from "./runs.ts";
import { type ModelStats, statsOf } from "./stats.ts";
import type { BatchStream, HeldOutData, StreamFitOptions, StreamOptions } from "./stream-door.ts";

export interface Weight {
  /** `conv2d/kernel` */
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
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

  readonly #runs: Runs<P>;

  /** @internal Use `sequential` or `model`. */
  constructor(architecture: Architecture, name: string) {
    this.#architecture = architecture;
    this.name = name;
    this.#runs = new Runs<P>(this, {
      architecture,
      lock: this.#lock,
      training: this.#training,
      compilation: () => this.#compilation,
      ready: (where) => this.#ready(where),
      readOnly: (where, run) => this.#readOnly(where, run),
    });
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
   * Chooses loss, optimizer and device, and gives the parameters their first values. A model without a loss can only predict.
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
      const compilation = new Compilation({ ...chosen, runtime, ownsRuntime }, trainable, kept);
      try {
        if (architecture.network) await compilation.ready(architecture.network);
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
   * Trains for a number of epochs, on samples and labels, which are uploaded for the call, on a `Dataset`, or on a `stream`. A model of
   * several inputs or outputs takes them by name: `fit({ image, place }, { digit, parity })`.
   *
   * @throws FeaturemapError before any GPU work: `shape`, `value` where data, labels or options do not suit the model;
   *   `limit` where the adapter cannot run the plan; `state` where the model is not compiled, disposed or busy
   */
  fit(dataset: Dataset, options?: FitOptions<HeldOutData>): Promise<History>;
  fit(stream: BatchStream, options?: StreamFitOptions): Promise<History>;
  fit(x: ColumnInputs, y: ColumnInputs, options?: FitOptions<HeldOutData> & WeightOptions): Promise<History>;
  fit(
    x: ColumnInputs | Dataset | BatchStream,
    y?: ColumnInputs | FitOptions<HeldOutData>,
    options?: FitOptions<HeldOutData> & WeightOptions,
  ): Promise<History> {
    return this.#runs.fit(x, y, options);
  }

  /**
   * Computes the mean loss and the metrics over all samples. They come by name: what Keras gives with `return_dict=True`. Throws as `fit`
   * does.
   */
  evaluate(dataset: Dataset, options?: EvaluateOptions): Promise<Evaluation>;
  evaluate(stream: BatchStream, options?: StreamOptions): Promise<Evaluation>;
  evaluate(x: ColumnInputs, y: ColumnInputs, options?: EvaluateOptions & WeightOptions): Promise<Evaluation>;
  evaluate(
    x: ColumnInputs | Dataset | BatchStream,
    y?: ColumnInputs | EvaluateOptions,
    options?: EvaluateOptions & WeightOptions,
  ): Promise<Evaluation> {
    return this.#runs.evaluate(x, y, options);
  }

  /**
   * Predicts the output for each sample: [samples, ...output]; several outputs by name. The buffers of a small call (one batch, up to
   * 1 MiB) are kept for the next, as those of `trainOnBatch` are. Throws as `fit` does.
   */
  predict(x: ColumnInputs | Dataset, options?: EvaluateOptions): Promise<P>;
  predict(stream: BatchStream, options?: StreamOptions): Promise<P>;
  predict(x: ColumnInputs | Dataset | BatchStream, options: StreamOptions = {}): Promise<P> {
    return this.#runs.predict(x, options);
  }

  /**
   * Makes one training step on the given samples, as one batch. Returns the loss and the metrics of before the step. The batch's buffers
   * are kept for the next call: one with as many samples makes none. Throws as `fit` does.
   */
  trainOnBatch(x: ColumnInputs, y: ColumnInputs, options: WeightOptions = {}): Promise<Evaluation> {
    return this.#runs.trainOnBatch(x, y, options);
  }

  /** Computes the loss and the metrics of the given samples, as one batch, whose buffers are kept. Throws as `fit` does. */
  testOnBatch(x: ColumnInputs, y: ColumnInputs, options: WeightOptions = {}): Promise<Evaluation> {
    return this.#runs.testOnBatch(x, y, options);
  }

  /** Predicts the output for the given samples, as one batch of any size, whose buffers are kept. Throws as `fit` does. */
  predictOnBatch(x: ColumnInputs): Promise<P> {
    return this.#runs.predictOnBatch(x);
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

  /** Runs a call that makes no training step. It may come at any time, from callbacks too. */
  async #readOnly<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#lock.assertNotDisposed(name);
    return run();
  }
}
