import type { Shape } from "../base/shape.ts";
import { elements } from "../base/shape.ts";
import type { HostData } from "../data/columns.ts";
import type { Dataset } from "../data/dataset.ts";
import { readBuffers } from "../gpu/readback.ts";
import { WEIGHT_ROLES } from "../graph/variable.ts";
import type { Network } from "../network/network.ts";
import { BatchSlots } from "../program/batch-slot.ts";
import type { CompileSettings } from "../program/compile-settings.ts";
import type { Feed } from "../program/feed.ts";
import { Lifetime } from "../program/lifetime.ts";
import { type Figures, Measures } from "../program/measures.ts";
import { Plans } from "../program/plans.ts";
import { trainingProgram } from "../program/programs.ts";
import { VariableStore } from "../program/variable-store.ts";
import { variablesOf } from "../program/variables.ts";
import { FRAMES_MS } from "../training/pace.ts";
import { noCounts, type SweepCounts, type SweepSettings } from "../training/sweep.ts";
import { Sweeper } from "../training/sweeper.ts";
import { createTrainer, type Trainer } from "../training/trainer.ts";
import { VariableAccess } from "../training/variable-access.ts";

/** Compilation that a model's `compile` began: settings, a device and, once the network is known, the compiled model. */
export class Compilation {
  readonly settings: CompileSettings;
  readonly lifetime: Lifetime;
  readonly #trainable: ReadonlyMap<string, boolean>;
  readonly #kept: readonly Uint32Array[] | undefined;
  #compiled: CompiledModel | undefined;
  #making: Promise<CompiledModel> | undefined;

  /**
   * @param trainable Whether each layer is trainable, by name, from now on.
   * @param kept What the model had before, of `readKept`.
   */
  constructor(settings: CompileSettings, trainable: ReadonlyMap<string, boolean>, kept?: readonly Uint32Array[]) {
    this.settings = settings;
    this.#trainable = trainable;
    this.#kept = kept;
    this.lifetime = new Lifetime(settings.runtime);
  }

  /** Compiled model, once it is `ready`. */
  get compiled(): CompiledModel | undefined {
    return this.#compiled;
  }

  /** Makes the variables. Calls at the same time share them. After a failure, the next call tries again. */
  ready(network: Network): Promise<CompiledModel> {
    this.#making ??= this.#make(network.withTrainable(this.#trainable)).catch((error: unknown) => {
      this.#making = undefined;
      throw error;
    });
    return this.#making;
  }

  async #make(network: Network): Promise<CompiledModel> {
    const { settings, lifetime } = this;
    const { training, runtime, seed } = settings;
    const measures = training && new Measures(training.outputs, network);
    // A network that cannot be trained is found before anything is made.
    if (measures) trainingProgram({ ...settings, ...training, network, measures, capacity: 1, adapter: "software" });
    const variables = variablesOf(network, training?.optimizer, measures);
    const rates = training?.optimizer.hyperparameters ?? {};
    const store = lifetime.disposeUnlessLive(
      await VariableStore.create(runtime, variables, { seed, rates, kept: this.#kept }),
    );
    this.#compiled = new CompiledModel(settings, network, measures, lifetime, store);
    return this.#compiled;
  }

  dispose(why = "The model was disposed."): void {
    this.lifetime.end(why);
    this.#compiled?.dispose();
    if (this.settings.ownsRuntime) this.settings.runtime.dispose();
  }
}

/** Model on a device: its variables, a plan for each kind of work, and the sweeper that runs plans over data. */
export class CompiledModel {
  readonly settings: CompileSettings;
  readonly network: Network;
  readonly measures: Measures | undefined;
  readonly lifetime: Lifetime;
  readonly variables: VariableAccess;
  readonly plans: Plans;
  readonly sweeper: Sweeper;
  /** Cost of all training so far. */
  readonly counts: SweepCounts = noCounts();
  /** Bytes of the last training's data set on the GPU. */
  datasetBytes = 0;
  /** Slots that calls on one batch and small predictions write their batches to. */
  readonly #slots: BatchSlots;

  constructor(
    settings: CompileSettings,
    network: Network,
    measures: Measures | undefined,
    lifetime: Lifetime,
    store: VariableStore,
  ) {
    this.settings = settings;
    this.network = network;
    this.measures = measures;
    this.lifetime = lifetime;
    this.variables = new VariableAccess(store, lifetime, settings.memory);
    this.plans = new Plans({ settings, network, measures, lifetime });
    this.sweeper = new Sweeper({ plans: this.plans, access: this.variables, measures, lifetime });
    this.#slots = new BatchSlots(settings.runtime, () => lifetime.assertLive());
  }

  /** Prepares training on a data set. */
  async trainer(feed: Feed, settings: SweepSettings): Promise<Trainer> {
    const trainer = await createTrainer(this.sweeper, this.settings.runtime, feed, settings, this.counts);
    this.datasetBytes = trainer.bytes;
    return trainer;
  }

  /** Runs one training step. After the first such batch, it makes no buffer and no bind group, and writes only the batch. */
  async trainOnBatch(data: HostData, feedOf: (dataset: Dataset) => Feed): Promise<Figures> {
    const slot = await this.#slots.take("train", data);
    const feed = feedOf(slot.dataset);
    const settings = oneBatch(data);
    const ready = await this.sweeper.plan("train", feed, settings);
    const bind = () => this.sweeper.bind("training", ready, feed, { order: slot.order });
    const run = slot.boundTo(ready.executable, bind);
    this.datasetBytes = slot.bytes;
    const options = { counts: this.counts, start: slot.start, samples: data.size };
    const figures = await this.sweeper.sweep({ ready, run, kind: "training", feed }, settings, options);
    await slot.written;
    return figures!;
  }

  /** Evaluates one batch. After the first such batch, it makes no buffer and no bind group, and writes only the batch. */
  testOnBatch(data: HostData, feedOf: (dataset: Dataset) => Feed): Promise<Figures> {
    return this.sweeper.inTurn(async () => {
      const slot = await this.#slots.take("evaluate", data);
      const feed = feedOf(slot.dataset);
      const settings = oneBatch(data);
      const ready = await this.sweeper.plan("evaluate", feed, settings);
      const run = slot.boundTo(ready.executable, () => this.sweeper.bind("inference", ready, feed));
      const options = { counts: noCounts(), start: slot.start, samples: data.size };
      const figures = await this.sweeper.sweep({ ready, run, kind: "inference", feed }, settings, options);
      await slot.written;
      return figures!;
    });
  }

  /** Evaluates a data set. Gives `undefined` if the signal came before the first submit. */
  evaluate(feed: Feed, settings: SweepSettings): Promise<Figures | undefined> {
    return this.sweeper.inTurn(async () => {
      const ready = await this.sweeper.plan("evaluate", feed, settings);
      const run = this.sweeper.bind("inference", ready, feed, await orderOf(feed));
      return this.sweeper.sweep({ ready, run, kind: "inference", feed }, settings, { counts: noCounts() });
    });
  }

  /** Predicts the outputs of a batch, as `predict` does. After the first such batch, it makes nothing, and writes only the batch. */
  predictBatch(data: HostData, feedOf: (dataset: Dataset) => Feed): Promise<Float32Array[]> {
    return this.sweeper.inTurn(async () => {
      const sizes = this.#outputSizes;
      const slot = await this.#slots.take(
        "predict",
        data,
        sizes.map((size) => size * 4),
      );
      const feed = feedOf(slot.dataset);
      const ready = await this.sweeper.plan("predict", feed, { batchSize: data.size });
      const bind = () => this.sweeper.bind("inference", ready, feed, { predictions: slot.predictions });
      const run = slot.boundTo(ready.executable, bind);
      const { state } = this.variables.store.cursor("inference");
      const bytes = await slot.predict(run, state).finally(() => this.lifetime.assertLive());
      let at = 0;
      return sizes.map((size) => {
        const from = at;
        at += slot.dataset.size * size;
        return new Float32Array(bytes).slice(from, from + data.size * size);
      });
    });
  }

  /** Predicts each output for all samples, row by row. */
  predict(feed: Feed, settings: SweepSettings): Promise<Float32Array[]> {
    return this.sweeper.inTurn(async () => {
      const { runtime } = this.settings;
      const ready = await this.sweeper.plan("predict", feed, settings);
      const requests = this.#outputSizes.map((size) => ({ label: "predictions", bytes: feed.dataset.size * size * 4 }));
      const rows = await runtime.buffers.create(requests);
      try {
        const predictions = rows.map(({ buffer }) => buffer);
        const run = this.sweeper.bind("inference", ready, feed, { predictions, ...(await orderOf(feed)) });
        await this.sweeper.sweep({ ready, run, kind: "inference", feed }, settings, { counts: noCounts() });
        const read = await readBuffers(runtime, rows, this.variables.staging);
        return read.map((bytes) => new Float32Array(bytes));
      } finally {
        for (const { release } of rows) release();
      }
    });
  }

  /** Reads what a model keeps when it is compiled again, weights and counters, as words. */
  async readKept(): Promise<Uint32Array[]> {
    const read = await this.variables.read(this.variables.store.of(...WEIGHT_ROLES, "counter"));
    return read.map((bytes) => new Uint32Array(bytes));
  }

  dispose(): void {
    this.plans.dispose();
    this.#slots.dispose();
    this.variables.store.dispose();
  }

  /** Count of the numbers in one sample of each output. */
  get #outputSizes(): number[] {
    return this.network.outputs.map(({ shape }: { readonly shape: Shape }) => elements(shape));
  }
}

/** Gives the order in which a data set's samples are read, if it has one. */
async function orderOf({ dataset }: Feed): Promise<{ readonly order?: GPUBuffer }> {
  return dataset.order && dataset.ordered ? { order: await dataset.ordered() } : {};
}

/** Settings of a sweep over one batch. */
function oneBatch({ size }: HostData): SweepSettings {
  return { batchSize: size, stepsPerExecution: "auto", submitMs: FRAMES_MS };
}
