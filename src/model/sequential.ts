import { FeaturemapError, knownKeys, listOf, optionalFunction, optionalText } from "../base/errors.ts";
import { elements, type Shape } from "../base/shape.ts";
import { Dataset, type HostData, hostData, isDataset, upload } from "../data/dataset.ts";
import type { DataInput } from "../data/tensor.ts";
import { createRuntime, type Runtime } from "../gpu/runtime.ts";
import type { Layer } from "../layers/layer.ts";
import { type LayerInfo, Network } from "../network/network.ts";
import { optimizerNumbers, summaryText } from "../network/summary.ts";
import type { Plan } from "../plan/plan.ts";
import { copyOf } from "../program/batch-slot.ts";
import { bookmarkFor, type Training } from "../training/bookmark.ts";
import { type BatchOptions, checkFitOptions, type FitOptions } from "../training/fit-options.ts";
import { type History, logsOf } from "../training/history.ts";
import {
  batchOptions,
  byteScaleOf,
  checkedWeights,
  checkLabels,
  isBatch,
  type Labelled,
  pairOf,
  scaleOf,
  splitCall,
} from "./calls.ts";
import { type CompileOptions, checkCompileOptions } from "./compile-options.ts";
import { CompiledModel } from "./compiled.ts";
import { Door } from "./door.ts";
import { runFit } from "./run-fit.ts";
import { type ModelStats, statsOf } from "./stats.ts";

export interface Weight {
  /** `conv2d/kernel` */
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface Evaluation {
  readonly loss: number;
  /** With `metrics: ["accuracy"]`. */
  readonly accuracy?: number;
}

/** A stack of layers that is trained, evaluated and asked for predictions on a GPU: Keras's `Sequential`. */
export class Sequential {
  readonly name: string;
  readonly #network = new Network();
  #compiled: CompiledModel | undefined;
  readonly #door = new Door();
  readonly #training: Training = {
    epochs: 0,
    byteScale: undefined,
    bookmark: undefined,
    trainer: undefined,
    stop: false,
    stopped: undefined,
  };

  /** @internal Use `sequential`. */
  constructor(layers: readonly Layer[], name: string) {
    this.name = name;
    for (const layer of listOf(layers, "sequential: layers")) this.add(layer);
  }

  get [Symbol.toStringTag](): string {
    return "Sequential";
  }

  /** The layers in order, as far as they are built: what `summary` prints, as data. */
  get layers(): readonly LayerInfo[] {
    return this.#network.built.map(({ name, layer, outputShape, parameters }) => ({
      name,
      type: layer.type,
      outputShape,
      parameters: parameters.reduce((sum, { shape }) => sum + elements(shape), 0),
    }));
  }

  /** Number of parameters, all of them trainable. */
  countParams(): number {
    return this.#network.parameterCount;
  }

  /** Shape of one sample of the output, once the input's is known. */
  get outputShape(): Shape | undefined {
    return this.#network.outputShape;
  }

  /**
   * Appends a layer.
   *
   * @throws FeaturemapError `shape` where it does not fit what is before it; `state` during and after `compile`
   */
  add(layer: Layer): void {
    this.#door.assertFree("model.add");
    if (this.#compiled) throw new FeaturemapError("state", "model.add: layers cannot be added after compile().");
    this.#network.add(layer);
  }

  /** Prints Keras's table of layers, shapes and parameters, and returns it. `print` defaults to `console.log`. */
  summary(options: { readonly print?: (text: string) => void } = {}): string {
    knownKeys(options, ["print"], "summary");
    optionalFunction(options.print, "summary: print");
    const compiled = this.#compiled;
    // Keras makes what an optimizer keeps when training begins.
    const numbers = compiled?.plans.made("train") ? optimizerNumbers(this.#network, compiled.settings.optimizer!) : 0;
    const text = summaryText(this.name, this.#network, numbers);
    (options.print ?? console.log)(text);
    return text;
  }

  /**
   * Chooses loss, optimizer and device (loss and optimizer are for training; a model without them predicts), and gives the
   * parameters their first values. Compiled again, a model keeps its weights. Pipelines are compiled when the first batch size
   * is seen.
   *
   * @throws FeaturemapError `value` for a wrong option; `device` where there is no WebGPU; `limit` where it has no room
   */
  compile(options: CompileOptions = {}): Promise<void> {
    return this.#door.alone("compile", async () => {
      const chosen = checkCompileOptions(options);
      if (this.#network.layers.length === 0)
        throw new FeaturemapError("state", "compile: the model has no layers. Add some with model.add().");
      await this.#door.written;
      const kept = this.#compiled?.isReady ? await this.#compiled.readParameters() : undefined;
      const ownsRuntime = options.runtime === undefined;
      const runtime = options.runtime ?? (await createRuntime());
      const compiled = new CompiledModel({ ...chosen, runtime, ownsRuntime }, this.#network);
      try {
        if (this.#network.inputShape) await compiled.ready();
        if (kept) await compiled.setParameters(kept);
        this.#door.assertOpen("compile");
      } catch (error) {
        compiled.dispose();
        throw error;
      }
      this.#compiled?.dispose("The model was compiled again.");
      this.#compiled = compiled;
      this.#training.bookmark = undefined;
    });
  }

  /**
   * Trains for a number of epochs, either on samples and labels, which are uploaded for the call, or on a `Dataset`.
   *
   * @throws FeaturemapError before any GPU work: `shape`, `value` where data, labels or options do not suit the model;
   *   `limit` where the adapter cannot run the plan; `state` where the model is not compiled, disposed or busy
   */
  fit(dataset: Dataset, options?: FitOptions<Labelled>): Promise<History>;
  fit(x: DataInput, y: DataInput, options?: FitOptions<Labelled>): Promise<History>;
  fit(x: DataInput | Dataset, y?: DataInput | FitOptions<Labelled>, options?: FitOptions<Labelled>): Promise<History> {
    const run = async () => {
      const call = splitCall(x, y, options, "fit");
      const fitOptions = checkFitOptions((call.options ?? {}) as FitOptions<Labelled>);
      const { validationData } = fitOptions;
      const training = this.#check(call.data, "fit", true);
      const held =
        validationData === undefined ? undefined : this.#check(pairOf(validationData), "fit: validationData", true);
      const bookmark = bookmarkFor(this.#training, fitOptions, training, this.#compiled!.settings.seed);
      const byteScale = byteScaleOf(training);
      return this.#uploaded([training, ...(held ? [held] : [])], "fit", (compiled, [data, validation]) => {
        this.#training.byteScale = byteScale;
        const scaled = (dataset: Dataset) => ({ dataset, scale: scaleOf(dataset, byteScale) });
        return runFit({
          model: this,
          compiled,
          options: fitOptions,
          training: this.#training,
          bookmark,
          data: scaled(data!),
          validation: validation && scaled(validation),
        });
      });
    };
    return this.#door.alone("fit", run, true);
  }

  /** Mean loss, and accuracy if it is a metric, over all samples. Throws as `fit` does. */
  evaluate(dataset: Dataset, options?: BatchOptions): Promise<Evaluation>;
  evaluate(x: DataInput, y: DataInput, options?: BatchOptions): Promise<Evaluation>;
  evaluate(x: DataInput | Dataset, y?: DataInput | BatchOptions, options?: BatchOptions): Promise<Evaluation> {
    return this.#looking("evaluate", () => {
      const call = splitCall(x, y, options, "evaluate");
      const batches = batchOptions(call.options, "evaluate");
      const data = this.#check(call.data, "evaluate", true);
      return this.#uploaded([data], "evaluate", async (compiled, [dataset]) => {
        const scale = scaleOf(dataset!, this.#training.byteScale);
        const metrics = await compiled.evaluate(dataset!, { ...batches, scale });
        batches.signal?.throwIfAborted();
        return logsOf(metrics, compiled.settings.withAccuracy);
      });
    });
  }

  /**
   * The model's output for each sample: [samples, ...output]. Buffers of few samples (one batch, up to 1 MiB) are kept for the
   * next call, as those of `trainOnBatch` are. Throws as `fit` does.
   */
  predict(x: DataInput | Dataset, options: BatchOptions = {}): Promise<{ data: Float32Array; shape: number[] }> {
    return this.#looking("predict", async () => {
      const batches = batchOptions(options, "predict");
      const data = this.#check(isDataset(x) ? x : { x }, "predict", false);
      const scale = () => scaleOf(data, this.#training.byteScale);
      const batch = isBatch(data, batches.batchSize) ? copyOf(data) : undefined;
      const rows = batch
        ? await (await this.#ready("predict")).predictBatch(batch, scale())
        : await this.#uploaded([data as Dataset], "predict", (compiled, [dataset]) =>
            compiled.predict(dataset!, { ...batches, scale: scale() }),
          );
      batches.signal?.throwIfAborted();
      return { data: rows, shape: [data.size, ...this.#network.outputShape!] };
    });
  }

  /**
   * One training step on the given samples, as one batch. Returns its loss before the step. The batch's buffers are kept for
   * the next: calls with as many samples make none. Throws as `fit` does.
   */
  trainOnBatch(x: DataInput, y: DataInput): Promise<Evaluation> {
    const run = async () => {
      if (isDataset(x))
        throw new FeaturemapError("value", "trainOnBatch takes samples and labels, got a Dataset. Use fit().");
      const data = copyOf(this.#check({ x, y }, "trainOnBatch", true) as HostData);
      const compiled = await this.#ready("trainOnBatch");
      this.#training.byteScale = byteScaleOf(data);
      this.#training.bookmark = undefined;
      return logsOf(await compiled.trainOnBatch(data, data.x.scale ?? 1), compiled.settings.withAccuracy);
    };
    return this.#door.alone("trainOnBatch", run, true);
  }

  /** All parameters, layer by layer, kernel before bias: the order and the layouts of Keras's `get_weights`. */
  getWeights(): Promise<Weight[]> {
    return this.#looking("getWeights", async () => {
      const compiled = await this.#ready("getWeights");
      const values = await compiled.readParameters();
      return this.#network.parameters.map(({ path, shape }, i) => ({ name: path, shape, data: values[i]! }));
    });
  }

  /**
   * Replaces all parameters, in the order of `getWeights`; names are not looked at.
   *
   * @throws FeaturemapError `shape` where number or shapes differ; then nothing is changed
   */
  setWeights(weights: readonly { readonly shape?: Shape; readonly data: ArrayLike<number> }[]): Promise<void> {
    return this.#setParameters("setWeights", ({ parameters }) => checkedWeights(weights, parameters));
  }

  /** What training has cost so far, and what it holds. Figures of steps are those of `fit` and `trainOnBatch`. */
  stats(): ModelStats {
    return statsOf(this.#compiled, this.#network);
  }

  /** Set by a callback, ends `fit` after the submits that are under way, as a `signal` does. Each `fit` begins with false. */
  get stopTraining(): boolean {
    return this.#training.stop;
  }

  set stopTraining(stop: boolean) {
    this.#training.stop = stop;
    if (stop) this.#training.stopped?.();
  }

  /** The plan of a training step, once one was made: print it with `String(model.plan)`. */
  get plan(): Plan | undefined {
    return this.#compiled?.plans.made("train")?.program.plan;
  }

  /** @internal What functions beside the class work on. */
  get inside() {
    return {
      network: this.#network,
      training: this.#training,
      ready: (where: string) => this.#looking(where, () => this.#ready(where)),
      alone: <T>(where: string, run: () => Promise<T>) => this.#door.alone(where, run),
      write: (where: string, run: () => Promise<void>) => this.#door.write(where, run),
      setParameters: (where: string, valuesOf: (network: Network) => Float32Array[]) =>
        this.#setParameters(where, valuesOf),
    };
  }

  get runtime(): Runtime | undefined {
    return this.#compiled?.runtime;
  }

  /** Frees every GPU buffer of the model, and its runtime if it is its own. The model cannot be used afterwards. */
  dispose(): void {
    this.#door.close();
    this.#compiled?.dispose();
    this.#compiled = undefined;
  }

  /** What `compile` made, once its state is there and the writes before are done. */
  async #ready(where: string): Promise<CompiledModel> {
    const compiled = this.#usable(where);
    await this.#door.written;
    await compiled.ready();
    compiled.assertLive();
    return compiled;
  }

  /** `valuesOf` is called at once, before the promise is returned: the arrays are the caller's. */
  async #setParameters(where: string, valuesOf: (network: Network) => Float32Array[]): Promise<void> {
    const compiled = this.#usable(where);
    const values = valuesOf(this.#network);
    return this.#door.write(where, async () => {
      await compiled.ready();
      await compiled.setParameters(values);
    });
  }

  #usable(where: string): CompiledModel {
    this.#door.assertOpen(where);
    const compiled = this.#compiled;
    if (compiled && this.#network.inputShape) return compiled;
    const why = compiled
      ? "the input's shape is not known yet: give the first layer an inputShape"
      : "await model.compile() first";
    throw new FeaturemapError("state", `${where} cannot go on: ${why}.`);
  }

  /** Everything that can be wrong with data, found before it is uploaded. */
  #check(
    input: Dataset | { x: DataInput; y?: DataInput | undefined },
    where: string,
    labelled: boolean,
  ): HostData | Dataset {
    if (!this.#compiled) throw new FeaturemapError("state", `${where}: await model.compile() first.`);
    const { loss } = this.#compiled.settings;
    if (labelled && !loss) {
      const why = "the model was compiled without loss and optimizer, only to predict";
      throw new FeaturemapError("state", `${where}: ${why}. Give compile() both.`);
    }
    const data = input instanceof Dataset ? input : hostData(input);
    this.#network.build(data.x.shape, (output) => labelled && checkLabels(data, output, loss!, where));
    return data;
  }

  /**
   * Uploads what is not on the GPU yet, runs, and frees what it uploaded. All is written before the promise is returned, since
   * the arrays are the caller's.
   */
  async #uploaded<T>(
    data: readonly (HostData | Dataset)[],
    where: string,
    run: (compiled: CompiledModel, datasets: readonly Dataset[]) => Promise<T>,
  ): Promise<T> {
    const { runtime } = this.#usable(where);
    const uploads = data.map((each) => (each instanceof Dataset ? each : upload(runtime, each)));
    const done = await Promise.allSettled(uploads);
    try {
      return await run(await this.#ready(where), await Promise.all(uploads));
    } finally {
      done.forEach((upload, i) => {
        if (upload.status === "fulfilled" && upload.value !== data[i]) upload.value.dispose();
      });
    }
  }

  /** Calls that make no training step may come at any time, from callbacks too. */
  async #looking<T>(name: string, run: () => Promise<T>): Promise<T> {
    this.#door.assertOpen(name);
    return run();
  }
}

/** An empty model, or one of layers in a row. */
export function sequential(layers: readonly Layer[] = [], options: { readonly name?: string } = {}): Sequential {
  knownKeys(options, ["name"], "sequential");
  return new Sequential(layers, optionalText(options.name, "sequential: name") ?? "sequential");
}
