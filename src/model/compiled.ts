import { FeaturemapError } from "../base/errors.ts";
import { permutation } from "../base/random.ts";
import { elements } from "../base/shape.ts";
import type { Dataset, HostData } from "../data/dataset.ts";
import { checked } from "../gpu/checked.ts";
import { readBuffers } from "../gpu/readback.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { sweepStart } from "../graph/step-state.ts";
import type { MemoryMode } from "../graph/tile.ts";
import type { Network } from "../network/network.ts";
import type { BoundPlan } from "../plan/executable.ts";
import { type BatchSlot, BatchSlots } from "../program/batch-slot.ts";
import type { CompileSettings } from "../program/compile-settings.ts";
import { ModelState, type Place } from "../program/model-state.ts";
import { type Kind, type PlanSettings, Plans, type Ready } from "../program/plans.ts";
import { assertTrainable } from "../program/programs.ts";
import type { Trainer } from "../training/bookmark.ts";
import type { SweepMetrics } from "../training/metrics-reader.ts";
import { FRAMES_MS, Pace } from "../training/pace.ts";
import { type ParameterLook, parameterLook } from "../training/parameter-look.ts";
import { noCounts, type Sweep, type SweepCounts, type SweepSettings, sweep } from "../training/sweep.ts";

export interface Watcher {
  /** Hyperparameters are about to change; those of before. */
  hyperparameters(before: Readonly<Record<string, number>>): void;
  /** Parameters, or all of the state, were written; the GPU has not come to it yet. */
  written(): void;
}

/** Bytes that are read back at once. */
const STAGING_BYTES: Readonly<Record<MemoryMode, number>> = { fast: Number.POSITIVE_INFINITY, compact: 2 ** 19 };

/** A model on a device: its state and a plan for each kind of work, made when first needed. */
export class CompiledModel {
  readonly settings: CompileSettings;
  /** What all training so far has cost. */
  readonly counts: SweepCounts = noCounts();
  datasetBytes = 0;
  readonly #network: Network;
  #state: ModelState | undefined;
  #making: Promise<void> | undefined;
  readonly plans: Plans;
  /** What `trainOnBatch` and small predictions write their batches to. */
  readonly #slots: BatchSlots;
  /** A reading of the parameters that takes several submits: no training step may come between them. */
  #reading: Promise<unknown> | undefined;
  /** What moves the state back and forth: it is read and written only afterwards. */
  #rewinding: Promise<unknown> | undefined;
  /** Who wants to know when a caller changes what training goes on from. */
  readonly watchers = new Set<Watcher>();
  /** Why the model can no longer be used. */
  #gone: string | undefined;
  /** Told by `dispose`. */
  #onGone: () => void = () => {};
  readonly #ended: Promise<unknown>;
  /** Whether guests were seen off. */
  #over = false;
  /** What ends with the model, such as probes. */
  readonly #guests = new Set<{ dispose(): void }>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(settings: CompileSettings, network: Network) {
    this.settings = settings;
    this.#network = network;
    this.#slots = new BatchSlots(settings.runtime, () => this.assertLive());
    const disposed = new Promise<void>((resolve) => {
      this.#onGone = resolve;
    });
    this.#ended = Promise.race([disposed, settings.runtime.lost]);
    this.#ended.then(() => this.#seeOff());
    this.plans = new Plans(settings, network, () => this.assertLive(), this.#ended);
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

  /** Readies training on a data set; each call of what it returns is an epoch. */
  async trainer(dataset: Dataset, settings: SweepSettings): Promise<Trainer> {
    const ready = await this.#plan("train", dataset, settings);
    const { runtime } = this;
    const order = await runtime.buffers.createOne({ label: "order", bytes: dataset.size * 4 });
    this.datasetBytes = dataset.bytes + order.bytes;
    const run = this.#bind("train", ready, { dataset, order: order.buffer });
    const { size } = dataset;
    const { batchSize, scale } = settings;
    let indices = new Uint32Array();
    return {
      dataset,
      scale,
      run,
      epoch: async (shuffleSeed, at, last) => {
        indices =
          shuffleSeed === undefined ? Uint32Array.from({ length: size }, (_, i) => i) : permutation(size, shuffleSeed);
        const written = checked(runtime, "order", () => runtime.device.queue.writeBuffer(order.buffer, 0, indices));
        const sweeping = { ready, place: "train", counts: this.counts, at, last } as const;
        const metrics = await this.#sweep(run, dataset, settings, sweeping);
        await written;
        return metrics;
      },
      replay: async (from, to) => {
        const quiet = { batchSize, scale, stepsPerExecution: "auto", submitMs: FRAMES_MS } as const;
        const sweeping = { ready, place: "train", counts: noCounts(), at: { steps: from }, until: to } as const;
        await this.#sweep(run, dataset, quiet, sweeping);
      },
      samplesOf: (step) => [...indices.subarray((step - 1) * batchSize, step * batchSize)],
      dispose: () => order.release(),
    };
  }

  /** One training step. Once made for such a batch, it makes no buffer and no bind group, and writes only the batch. */
  async trainOnBatch(data: HostData, scale: number): Promise<SweepMetrics> {
    const slot = await this.#slots.take("train", data);
    const { dataset, start, bytes } = slot;
    const settings = { batchSize: data.size, scale, stepsPerExecution: "auto", submitMs: FRAMES_MS } as const;
    const ready = await this.#plan("train", dataset, settings);
    const run = slot.boundTo(ready.executable, () => this.#bind("train", ready, slot));
    this.datasetBytes = bytes;
    const sweeping = { ready, place: "train", counts: this.counts, start, samples: data.size } as const;
    const metrics = await this.#sweep(run, dataset, settings, sweeping);
    await slot.written;
    return metrics!;
  }

  /** The outputs of a batch, as `predict`. Once made for such a batch, it makes nothing, and writes only the batch. */
  predictBatch(data: HostData, scale: number): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const size = elements(this.#network.outputShape!);
      const slot = await this.#slots.take("look", data, size * 4);
      const ready = await this.#plan("predict", slot.dataset, { batchSize: data.size, scale });
      const run = slot.boundTo(ready.executable, () => this.#bind("look", ready, slot));
      const rows = slot.predict(run, this.state.place("look").state).finally(() => this.assertLive());
      return new Float32Array(await rows).slice(0, data.size * size);
    });
  }

  /** `undefined` where the signal came before the first submit. */
  evaluate(dataset: Dataset, settings: SweepSettings): Promise<SweepMetrics | undefined> {
    return this.#inTurn(async () => {
      const ready = await this.#plan("evaluate", dataset, settings);
      const run = this.#bind("look", ready, { dataset });
      return this.#sweep(run, dataset, settings, { ready, place: "look", counts: noCounts() });
    });
  }

  /** The outputs of all samples, row by row. */
  predict(dataset: Dataset, settings: SweepSettings): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const ready = await this.#plan("predict", dataset, settings);
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
    return this.#ended;
  }

  /** Disposes of something when the model can no longer be used, unless `leave` is called before. */
  host(guest: { dispose(): void }): { leave(): void } {
    if (this.#over) guest.dispose();
    else this.#guests.add(guest);
    return { leave: () => void this.#guests.delete(guest) };
  }

  /**
   * All of one moment, in whose turn `moment` is called last: where they do not fit into one staging buffer, training waits
   * until they are read.
   */
  async read(buffers: readonly GPUBuffer[], moment = () => {}): Promise<ArrayBuffer[]> {
    while (this.#rewinding) await this.#rewinding;
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
    for (let held = this.#held; held; held = this.#held) await held;
    this.assertLive();
    const written = this.state.write(buffers, values);
    for (const watcher of this.watchers) watcher.written();
    await written;
  }

  /** The values are taken as checked. */
  setHyperparameters(values: Readonly<Record<string, number>>): Promise<void> {
    for (const watcher of this.watchers) watcher.hyperparameters(this.state.hyperparameters);
    return this.state.setHyperparameters(values);
  }

  /** Runs what moves the state back and forth. No read or write of it comes in between. */
  async rewind<T>(run: () => Promise<T>): Promise<T> {
    for (let held = this.#held; held; held = this.#held) await held;
    const running = run();
    this.#rewinding = running.catch(() => {});
    try {
      return await running;
    } finally {
      this.#rewinding = undefined;
    }
  }

  get #held(): Promise<unknown> | undefined {
    return this.#reading ?? this.#rewinding;
  }

  /** `undefined` where the parameters are more than is read back at once. */
  readyLook(): Promise<ParameterLook> | undefined {
    const look = { runtime: this.runtime, parameters: this.#network.parameters, buffers: this.state.parameterBuffers };
    return this.state.parameterBytes <= this.#staging.mostBytes ? parameterLook(look) : undefined;
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
    this.#seeOff();
    this.plans.dispose();
    this.#slots.dispose();
    this.#state?.dispose();
    if (this.settings.ownsRuntime) this.runtime.dispose();
  }

  #seeOff(): void {
    this.#over = true;
    for (const guest of this.#guests) guest.dispose();
    this.#guests.clear();
  }

  /** Frees what was made for a model that is gone by now. */
  #kept<T extends { dispose(): void }>(made: T): T {
    if (this.#gone !== undefined) made.dispose();
    this.assertLive();
    return made;
  }

  async #plan(kind: Kind, dataset: Dataset, settings: PlanSettings): Promise<Ready> {
    this.assertLive();
    dataset.assertLive();
    if (dataset.runtime !== this.runtime) {
      throw new FeaturemapError(
        "state",
        "The data set is on another runtime than the model. Make both with one createRuntime().",
      );
    }
    return this.plans.of(kind, dataset, settings);
  }

  #bind(
    place: Place,
    { executable, program }: Ready,
    { dataset, order, predictions }: Pick<BatchSlot, "dataset"> & Partial<Pick<BatchSlot, "order" | "predictions">>,
  ): BoundPlan {
    const { tensors } = program;
    const bound = this.state.bindings(tensors, place);
    const brought = { samples: dataset.x.buffer, labels: dataset.y?.buffer, order, predictions };
    for (const name of ["samples", "labels", "order", "predictions"] as const) {
      const id = tensors[name];
      if (id !== undefined) bound.set(id, brought[name]!);
    }
    // Where a group is refused, so is the submit that uses it.
    let run: BoundPlan;
    checked(this.runtime, program.plan.name, () => {
      run = executable.bind(bound);
    });
    return run!;
  }

  #sweep(
    run: BoundPlan,
    dataset: Dataset,
    settings: SweepSettings,
    options: Pick<Sweep, "counts" | "at"> &
      Partial<Pick<Sweep, "start" | "samples" | "until" | "last">> & { ready: Ready; place: Place },
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
