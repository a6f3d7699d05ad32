import type { Dataset, HostData } from "../data/dataset.ts";
import { FeaturemapError } from "../errors.ts";
import { readBuffers } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { sweepStart } from "../graph/graph.ts";
import type { Choices, MemoryMode } from "../graph/tile.ts";
import { type BoundPlan, type CompileProgress, type Executable, prepare } from "../plan/executable.ts";
import { ScratchPool } from "../plan/scratch.ts";
import { adapterClassOf } from "../plan/tiles.ts";
import type { PlanRequest, Tuner } from "../plan/tuning.ts";
import { permutation } from "../random.ts";
import { elements } from "../shape.ts";
import { type BatchSlot, BatchSlots } from "./batch-slot.ts";
import type { Loss } from "./losses.ts";
import type { SweepMetrics } from "./metrics-reader.ts";
import { ModelState, type Place } from "./model-state.ts";
import type { Network } from "./network.ts";
import type { Optimizer } from "./optimizers.ts";
import { FRAMES_MS, Pace } from "./pace.ts";
import {
  assertTrainable,
  type DataKind,
  dataKind,
  evaluationProgram,
  type Program,
  type ProgramOptions,
  predictionProgram,
  trainingProgram,
} from "./programs.ts";
import { noCounts, type Sweep, type SweepCounts, type SweepSettings, sweep } from "./sweep.ts";
import type { Trainer } from "./training.ts";

export interface CompileSettings {
  readonly runtime: Runtime;
  readonly ownsRuntime: boolean;
  /** Without it, as without an optimizer, the model predicts and is neither trained nor evaluated. */
  readonly loss: Loss | undefined;
  readonly optimizer: Optimizer | undefined;
  readonly withAccuracy: boolean;
  readonly seed: number;
  readonly choices: Choices;
  readonly memory: MemoryMode;
  readonly tune: Tuner | undefined;
  readonly onProgress: ((progress: CompileProgress) => void | Promise<void>) | undefined;
}

const PROGRAMS = { train: trainingProgram, evaluate: evaluationProgram, predict: predictionProgram };
type Kind = keyof typeof PROGRAMS;

interface Ready {
  /** The kind of data that the plan takes, as JSON. */
  readonly data: string;
  readonly program: Program;
  readonly executable: Executable;
  pace?: Pace;
}

/** Bytes that are read back at once. */
const STAGING_BYTES: Readonly<Record<MemoryMode, number>> = { fast: Number.POSITIVE_INFINITY, compact: 2 ** 19 };

/** A model on a device: its state and a plan for each kind of work, made when first needed. */
export class CompiledModel {
  readonly settings: CompileSettings;
  /** What all training so far has cost. */
  readonly counts: SweepCounts = noCounts();
  compileMs = 0;
  /** All plans together. */
  tuning = { ms: 0, measured: 0, remembered: 0, skipped: 0 };
  datasetBytes = 0;
  readonly #network: Network;
  #state: ModelState | undefined;
  #making: Promise<void> | undefined;
  readonly #ready = new Map<Kind, Ready>();
  readonly #scratch: ScratchPool;
  /** What `trainOnBatch` and small predictions write their batches to. */
  readonly #slots: BatchSlots;
  /** A reading of the parameters that takes several submits: no training step may come between them. */
  #reading: Promise<unknown> | undefined;
  /** Why the model can no longer be used. */
  #gone: string | undefined;
  /** Told by `dispose`. */
  #onGone: () => void = () => {};
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: CompileSettings, network: Network) {
    this.settings = settings;
    this.#network = network;
    this.#scratch = new ScratchPool(settings.runtime);
    this.#slots = new BatchSlots(settings.runtime, () => this.assertLive());
  }

  /** Makes the state. Calls that come at once share it; one that failed is made anew by the next. */
  ready(): Promise<void> {
    this.#making ??= this.#make().catch((error: unknown) => {
      this.#making = undefined;
      throw error;
    });
    return this.#making;
  }

  async #make(): Promise<void> {
    const { loss, optimizer, runtime, seed } = this.settings;
    if (loss && optimizer) assertTrainable({ ...this.settings, loss, optimizer }, this.#network);
    this.#state = this.#kept(await ModelState.create(runtime, this.#network, optimizer, seed));
  }

  get isReady(): boolean {
    return this.#state !== undefined;
  }

  /** What is there once the model is `ready`. */
  get state(): ModelState {
    return this.#state!;
  }

  get runtime(): Runtime {
    return this.settings.runtime;
  }

  get trainingProgram(): Program | undefined {
    return this.#ready.get("train")?.program;
  }

  /** Bytes of the buffers that hold what a step computes; all plans share them. */
  get activationBytes(): number {
    return this.#scratch.bytes;
  }

  /** Steps of the training's next submit. */
  get stepsPerSubmit(): number {
    return this.#ready.get("train")?.pace?.steps ?? 1;
  }

  /** Readies training on a data set; each call of what it returns is an epoch. */
  async trainer(dataset: Dataset, settings: SweepSettings): Promise<Trainer> {
    const ready = await this.#program("train", dataset, settings);
    const { runtime } = this;
    const order = await runtime.buffers.createOne({ label: "order", bytes: dataset.size * 4 });
    this.datasetBytes = dataset.bytes + order.bytes;
    const run = this.#bind("train", ready, { dataset, order: order.buffer });
    return {
      run,
      epoch: async (shuffleSeed, at) => {
        const { size } = dataset;
        const indices =
          shuffleSeed === undefined ? Uint32Array.from({ length: size }, (_, i) => i) : permutation(size, shuffleSeed);
        runtime.device.queue.writeBuffer(order.buffer, 0, indices);
        return this.#sweep(run, dataset, settings, { ready, place: "train", counts: this.counts, at });
      },
      dispose: () => order.release(),
    };
  }

  /** One training step. Once made for such a batch, it makes no buffer and no bind group, and writes only the batch. */
  async trainOnBatch(data: HostData, scale: number): Promise<SweepMetrics> {
    const slot = await this.#slots.take("train", data);
    const { dataset, start, bytes } = slot;
    const settings = { batchSize: data.size, scale, stepsPerExecution: "auto", submitMs: FRAMES_MS } as const;
    const ready = await this.#program("train", dataset, settings);
    const run = slot.boundTo(ready.executable, () => this.#bind("train", ready, slot));
    this.datasetBytes = bytes;
    const sweeping = { ready, place: "train", counts: this.counts, start, samples: data.size } as const;
    return (await this.#sweep(run, dataset, settings, sweeping))!;
  }

  /** The outputs of a batch, as `predict`. Once made for such a batch, it makes nothing, and writes only the batch. */
  predictBatch(data: HostData, scale: number): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const size = elements(this.#network.outputShape!);
      const slot = await this.#slots.take("look", data, size * 4);
      const ready = await this.#program("predict", slot.dataset, { batchSize: data.size, scale });
      const run = slot.boundTo(ready.executable, () => this.#bind("look", ready, slot));
      const rows = slot.predict(run, this.state.place("look").state).finally(() => this.assertLive());
      return new Float32Array(await rows).slice(0, data.size * size);
    });
  }

  /** `undefined` where the signal came before the first submit. */
  evaluate(dataset: Dataset, settings: SweepSettings): Promise<SweepMetrics | undefined> {
    return this.#inTurn(async () => {
      const ready = await this.#program("evaluate", dataset, settings);
      const run = this.#bind("look", ready, { dataset });
      return this.#sweep(run, dataset, settings, { ready, place: "look", counts: noCounts() });
    });
  }

  /** The outputs of all samples, row by row. */
  predict(dataset: Dataset, settings: SweepSettings): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const ready = await this.#program("predict", dataset, settings);
      const bytes = dataset.size * elements(this.#network.outputShape!) * 4;
      const rows = await this.runtime.buffers.createOne({ label: "predictions", bytes });
      try {
        const run = this.#bind("look", ready, { dataset, predictions: rows.buffer });
        await this.#sweep(run, dataset, settings, { ready, place: "look", counts: noCounts() });
        const [read] = await readBuffers(this.runtime, [{ buffer: rows.buffer, bytes }], this.#staging);
        return new Float32Array(read!);
      } finally {
        rows.release();
      }
    });
  }

  /** @throws FeaturemapError `state` where the model or its runtime was disposed, `lost` where the device is lost */
  assertLive(): void {
    if (this.#gone !== undefined) throw new FeaturemapError("state", this.#gone);
    this.runtime.assertLive();
  }

  /** Resolves when the model can no longer be used, for one who waits for something else. */
  gone(): Promise<unknown> {
    if (this.#gone !== undefined) return Promise.resolve();
    const disposed = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    return Promise.race([disposed, this.runtime.lost]);
  }

  /**
   * All of one moment, in whose turn `moment` is called last: where they do not fit into one staging buffer, training waits
   * until they are read.
   */
  read(buffers: readonly GPUBuffer[], moment = () => {}): Promise<ArrayBuffer[]> {
    const sources = buffers.map((buffer) => ({ buffer, bytes: buffer.size }));
    const assertLive = () => {
      this.assertLive();
      moment();
    };
    const read = readBuffers(this.runtime, sources, { ...this.#staging, assertLive });
    if (buffers.reduce((sum, { size }) => sum + size, 0) > this.#staging.mostBytes) {
      const reading = Promise.allSettled([read, this.#reading]).then(() => {
        if (this.#reading === reading) this.#reading = undefined;
      });
      this.#reading = reading;
    }
    return read;
  }

  /** The values are taken as checked. */
  async write(buffers: readonly GPUBuffer[], values: readonly (Float32Array | Uint32Array)[]): Promise<void> {
    for (let held = this.#reading; held; held = this.#reading) await held;
    this.assertLive();
    this.state.write(buffers, values);
  }

  async readParameters(): Promise<Float32Array[]> {
    return (await this.read(this.state.parameterBuffers)).map((bytes) => new Float32Array(bytes));
  }

  setParameters(values: readonly Float32Array[]): Promise<void> {
    return this.write(this.state.parameterBuffers, values);
  }

  dispose(why = "The model was disposed."): void {
    this.#gone ??= why;
    this.#onGone();
    for (const { executable } of this.#ready.values()) executable.dispose();
    this.#ready.clear();
    this.#slots.dispose();
    this.#state?.dispose();
    if (this.settings.ownsRuntime) this.runtime.dispose();
  }

  /** Frees what was made for a model that is gone by now. */
  #kept<T extends { dispose(): void }>(made: T): T {
    if (this.#gone !== undefined) made.dispose();
    this.assertLive();
    return made;
  }

  /** The plan for a kind of work and data: the one that is there, if its batch is large enough, or a new one. */
  async #program(
    kind: Kind,
    dataset: Dataset,
    { batchSize, scale }: Pick<SweepSettings, "batchSize" | "scale">,
  ): Promise<Ready> {
    this.assertLive();
    dataset.assertLive();
    if (dataset.runtime !== this.runtime) {
      throw new FeaturemapError(
        "state",
        "The data set is on another runtime than the model. Make both with one createRuntime().",
      );
    }
    const capacity = Math.min(batchSize, dataset.size);
    const data = dataKind(dataset, scale);
    const key = JSON.stringify(data);
    const known = this.#ready.get(kind);
    if (known && known.data === key && known.program.capacity >= capacity) return known;
    const { onProgress } = this.settings;
    const program = await this.#choose(kind, data, capacity);
    const executable = await prepare(this.runtime, program.plan, { scratch: this.#scratch, onProgress });
    this.#kept(executable);
    known?.executable.dispose();
    this.compileMs += executable.compileMs;
    const ready = { data: key, program, executable };
    this.#ready.set(kind, ready);
    return ready;
  }

  /** The program, with what a tuner has found to be fastest where there is one. */
  async #choose(kind: Kind, data: DataKind, capacity: number): Promise<Program> {
    const { tune, choices, onProgress } = this.settings;
    const shipped = this.#build(kind, data, capacity, { choices });
    if (!tune) return shipped;
    const begin = performance.now();
    const tuned = await tune.tune({
      runtime: this.runtime,
      adapter: adapterClassOf(this.runtime),
      shipped,
      capacity,
      choices,
      build: (request) => this.#build(kind, data, capacity, request).plan,
      assertLive: () => this.assertLive(),
      onProgress,
    });
    this.tuning.ms += performance.now() - begin;
    for (const name of ["measured", "remembered", "skipped"] as const) this.tuning[name] += tuned.counts[name];
    return this.#build(kind, data, capacity, { choices: tuned.choices });
  }

  #build(kind: Kind, data: DataKind, capacity: number, request: PlanRequest): Program {
    const { loss, optimizer, memory } = this.settings;
    const adapter = adapterClassOf(this.runtime);
    const { limits } = this.runtime.device;
    const device = { adapter, limits, memory };
    const options: ProgramOptions = { network: this.#network, capacity, data, ...device, ...request };
    return PROGRAMS[kind]({ ...options, loss: loss!, optimizer: optimizer! });
  }

  #bind(
    place: Place,
    { executable, program: { tensors } }: Ready,
    { dataset, order, predictions }: Pick<BatchSlot, "dataset"> & Partial<Pick<BatchSlot, "order" | "predictions">>,
  ): BoundPlan {
    const bound = this.state.bindings(tensors, place);
    const brought = { samples: dataset.x.buffer, labels: dataset.y?.buffer, order, predictions };
    for (const name of ["samples", "labels", "order", "predictions"] as const) {
      const id = tensors[name];
      if (id !== undefined) bound.set(id, brought[name]!);
    }
    return executable.bind(bound);
  }

  #sweep(
    run: BoundPlan,
    dataset: Dataset,
    settings: SweepSettings,
    options: Pick<Sweep, "counts" | "at"> & Partial<Pick<Sweep, "start" | "samples">> & { ready: Ready; place: Place },
  ): Promise<SweepMetrics | undefined> {
    const { ready, place, samples = dataset.size } = options;
    // A plan has a capacity; what it was asked for may be less.
    const batchSize = Math.min(settings.batchSize, samples);
    return sweep({
      start: sweepStart({ samples, batch: batchSize }),
      ...settings,
      ...options,
      runtime: this.runtime,
      run,
      place: this.state.place(place),
      withMetrics: ready.program.tensors.metrics !== undefined,
      assertLive: () => {
        this.assertLive();
        dataset.assertLive();
      },
      hold: () => (place === "train" ? this.#reading : undefined),
      samples,
      batchSize,
      pace: this.#paceOf(ready, settings),
    });
  }

  /** A plan's pace is kept from sweep to sweep, so that an epoch begins with what the last one learned. */
  #paceOf(ready: Ready, { stepsPerExecution, submitMs }: SweepSettings): Pace {
    const options = { stepsPerExecution, submitMs, software: this.runtime.adapter.software };
    if (!ready.pace?.serves(options)) ready.pace = new Pace(options);
    return ready.pace;
  }

  get #staging(): { readonly mostBytes: number } {
    return { mostBytes: Math.min(STAGING_BYTES[this.settings.memory], this.runtime.device.limits.maxBufferSize) };
  }

  /** Sweeps that only look share one place, so they take turns. */
  async #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(run);
    this.#turn = mine.catch(() => {});
    return mine;
  }
}
