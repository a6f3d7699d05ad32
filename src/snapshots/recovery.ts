import { type ErrorCode, FeaturemapError, finiteNumber, knownKeys, optionalFunction, wrong } from "../base/errors.ts";
import { isDataset } from "../data/dataset.ts";
import { type DataInput, toTensor } from "../data/tensor.ts";
import { orLost } from "../gpu/lost.ts";
import type { Runtime } from "../gpu/runtime.ts";
import type { Labelled } from "../model/calls.ts";
import { assertModel } from "../model/inside.ts";
import type { Sequential } from "../model/sequential.ts";
import type { Callback } from "../training/callback.ts";
import { checkFitOptions, FIT_OPTIONS, type FitOptions } from "../training/fit-options.ts";
import type { History } from "../training/history.ts";
import { checkpoint, isSound } from "./checkpoint.ts";
import { restore, type Snapshot, snapshot } from "./snapshot.ts";
import type { SnapshotStore } from "./snapshot-store.ts";

/**
 * Samples and labels that outlive a device: arrays, which are copied before the call returns, or a function that gives them for
 * each new device, without a copy. A `Dataset` that it makes on the given runtime is yours to dispose of.
 */
export type LastingData = readonly [x: DataInput, y: DataInput] | ((runtime: Runtime) => Labelled | Promise<Labelled>);

/** What `fit` takes, and what recovering needs. */
export interface RecoveryOptions extends Omit<FitOptions<LastingData>, "resume"> {
  /** Builds and compiles the model: at the begin, and anew after each lost device, always the same one. */
  make(): Sequential | Promise<Sequential>;
  readonly data: LastingData;
  /** Takes a snapshot so many ms after the last. A lost device costs the training since. Default 5000. */
  readonly everyMs?: number;
  /**
   * Where snapshots go, for a training that is to outlive the page: `indexedDbSnapshots("digits")`. The next call goes on from what it
   * holds. It is emptied when all epochs are done. A training that ends before leaves its last sound snapshot there. Default: memory.
   */
  readonly store?: SnapshotStore;
  /** Called after each lost device, before the model is made anew. */
  onRecovery?(recovery: Recovery): void | Promise<void>;
}

/** A lost device, and where training goes on. */
export interface Recovery {
  /** Lost devices so far. */
  readonly recoveries: number;
  /** What the device's loss failed with. */
  readonly error: unknown;
  /** Epoch, counted from 0, and its steps that the last snapshot holds; both are 0 where there is none yet. */
  readonly epoch: number;
  readonly steps: number;
}

/** A training that has ended. */
export interface Recovered {
  /** The trained model: the one that `make` made last. */
  readonly model: Sequential;
  /** That of a training whose device was never lost. */
  readonly history: History;
  /** Devices that were lost. */
  readonly recoveries: number;
  /** Of the trained model, which `restore` puts on another one where its device is lost later. */
  readonly snapshot: Snapshot;
}

/** Training was given up, since devices are lost again and again or there is none. What it had come to is kept. */
export class RecoveryError extends FeaturemapError {
  /** The last snapshot; `undefined` where there was none yet. */
  readonly snapshot: Snapshot | undefined;
  /** Devices that were lost. */
  readonly recoveries: number;

  /** @internal */
  constructor(message: string, kept: Pick<RecoveryError, "snapshot" | "recoveries">, cause: unknown) {
    super("lost", message, { cause });
    this.snapshot = kept.snapshot;
    this.recoveries = kept.recoveries;
  }
}

/** Losses one after the other, without a new snapshot between them, after which training is given up. */
const MOST_FRUITLESS = 5;

/** Ms before each new try to make a model for which there is no adapter: after a crash there is one again soon. */
const WAITS_MS = [100, 300, 1000, 2000];

/** Ms that what the caller gave has to settle once training is aborted. */
const LAST_MS = 2000;

/** An epoch's end takes a snapshot, too, where this share of `everyMs` has passed since the last. */
const AT_EPOCH_END = 1 / 5;

/**
 * Trains as `fit` does and survives lost devices, whatever ran on them. It makes the model anew, restores the last snapshot and goes
 * on. On the same adapter, with the same choices, bits and history are those of a training that was never disturbed. Only losses are
 * recovered from. After any other error the model is disposed of; the last snapshot is in the `store`.
 *
 * Callbacks go on with the new model. Steps since the last snapshot are made again, and their hooks are called again;
 * `setModel` and `onTrainBegin` are called for each new model.
 *
 * A `signal` that aborts ends training as it ends `fit`. Where `make`, `data`, `onRecovery` or the store has not settled 2 s later,
 * the call is rejected with the signal's reason. It still resolves where only the last snapshot cannot be stored.
 *
 * @example
 * const { model, history } = await trainWithRecovery({
 *   make: async () => {
 *     const model = sequential(layers());
 *     await model.compile(settings);
 *     return model;
 *   },
 *   ...{ data: [x, y], batchSize: 128, epochs: 10, store: indexedDbSnapshots("digits") },
 * });
 * @throws FeaturemapError as `fit` does; `lost`, a `RecoveryError` with the last snapshot, where five devices were lost without a
 *   new snapshot, or no other device is to be had: a browser wants the page to be reloaded then
 */
export async function trainWithRecovery(options: RecoveryOptions): Promise<Recovered> {
  const call = checked(options);
  const { signal } = call.fit;
  const kept = new Kept(call.store, signal);
  await kept.open();
  let recoveries = 0;
  for (let fruitless = 0; ; ) {
    const before = kept.latest;
    try {
      return { ...(await attempt(call, kept)), recoveries };
    } catch (thrown) {
      if (!(thrown instanceof Stopped)) throw thrown;
      const { cause } = thrown;
      if (thrown.by === "no adapter") throw recoveries > 0 ? noAdapter({ ...kept.facts, recoveries }, cause) : cause;
      recoveries++;
      fruitless = kept.latest === before ? fruitless + 1 : 1;
      if (fruitless === MOST_FRUITLESS) throw tooMany({ ...kept.facts, recoveries }, cause);
      const { epoch = 0, steps = 0 } = kept.latest?.fit ?? {};
      await untilAborted(call.onRecovery?.({ recoveries, error: cause, epoch, steps }), signal);
    }
  }
}

type Call = Omit<RecoveryOptions, keyof FitOptions<LastingData>> & {
  readonly everyMs: number;
  readonly fit: FitOptions<LastingData>;
};

function checked(options: RecoveryOptions): Call {
  const where = "trainWithRecovery";
  const own = ["make", "data", "everyMs", "store", "onRecovery"] as const;
  const ofFit = FIT_OPTIONS.filter((name) => name !== "resume");
  knownKeys(options, [...own, ...ofFit], where);
  const { make, data, everyMs = 5000, store, onRecovery, ...given } = options;
  if (typeof make !== "function") throw wrong(`${where}: make`, "be a function that builds and compiles a model", make);
  finiteNumber(everyMs, `${where}: everyMs`, 0);
  optionalFunction(onRecovery, `${where}: onRecovery`);
  if (store !== undefined && (typeof store?.get !== "function" || typeof store.set !== "function"))
    throw wrong(`${where}: store`, "have get() and set(snapshot), as indexedDbSnapshots() has", store);
  const fit = checkFitOptions(given);
  const { validationData } = fit;
  const held =
    validationData === undefined ? {} : { validationData: lasting(validationData, `${where}: validationData`) };
  return {
    ...{ make, everyMs, fit: { ...fit, ...held }, data: lasting(data, `${where}: data`) },
    ...(store && { store }),
    ...(onRecovery && { onRecovery }),
  };
}

/** Arrays are copied: they are read again for each new device, when the caller may have other things in them. */
function lasting(data: LastingData, where: string): LastingData {
  if (typeof data === "function") return data;
  if (isDataset(data))
    throw wrong(where, "be [x, y], or (runtime) => createDataset(runtime, { x, y }), which outlive a device", data);
  if (!Array.isArray(data) || data.length !== 2) throw wrong(where, "be [x, y] or a function that gives them", data);
  const [x, y] = (data as readonly DataInput[]).map((input, i) => {
    const tensor = toTensor(input, `${where}: ${i === 0 ? "x" : "y"}`);
    return { ...tensor, data: tensor.data.slice() };
  });
  return [x!, y!];
}

/** The last snapshot, in memory and in the store. */
class Kept {
  latest: Snapshot | undefined;
  /** Whether it is of an earlier call. */
  stored = false;
  readonly #store: SnapshotStore | undefined;
  readonly #signal: AbortSignal | undefined;
  /** The store is given one snapshot after the other. */
  #setting: Promise<void> = Promise.resolve();

  constructor(store: SnapshotStore | undefined, signal: AbortSignal | undefined) {
    this.#store = store;
    this.#signal = signal;
  }

  get facts() {
    return { snapshot: this.latest, inStore: this.#store !== undefined };
  }

  async open(): Promise<void> {
    this.latest = (await untilAborted(this.#store?.get(), this.#signal)) ?? undefined;
    this.stored = this.latest !== undefined;
  }

  /** A store that fails costs no training: it is told of, and memory has the snapshot. */
  save(taken: Snapshot, complete = false): Promise<void> {
    this.latest = taken;
    this.stored = false;
    this.#setting = this.#setting
      .then(() => this.#store?.set(complete ? undefined : taken))
      .catch((error: unknown) => {
        console.warn(`trainWithRecovery: the store does not take the snapshot, training goes on: ${messageOf(error)}`);
      });
    return this.#setting;
  }

  /** Saves what an ended training leaves: nothing where it is complete, and the last sound snapshot where it came to NaN. */
  async end(taken: Snapshot, epochs: number): Promise<void> {
    if (!isSound(taken)) return;
    const complete = taken.fit !== undefined && taken.fit.epoch >= epochs;
    await untilAborted(this.save(taken, complete), this.#signal).catch(() => {
      console.warn(`trainWithRecovery: the store did not take the last snapshot within ${LAST_MS} ms of the abort.`);
    });
  }
}

/** An attempt that did not fail by itself. */
class Stopped extends Error {
  readonly by: "loss" | "no adapter";

  constructor(by: Stopped["by"], cause: unknown) {
    super(by, { cause });
    this.by = by;
  }
}

type Compiled = Sequential & { readonly runtime: Runtime };

async function attempt(call: Call, kept: Kept): Promise<Omit<Recovered, "recoveries">> {
  const model = await made(call);
  const { runtime } = model;
  try {
    return await orLost(runtime, trained(call, model, kept));
  } catch (error) {
    const gone = isLost(runtime);
    model.dispose();
    throw gone ? new Stopped("loss", error) : error;
  }
}

/** Another device that an app lost on its own is no reason to make this one anew. */
function isLost(runtime: Runtime): boolean {
  try {
    runtime.assertLive();
    return false;
  } catch (error) {
    return codeOf(error) === "lost";
  }
}

/**
 * What a promise of the caller's becomes. Once `signal` aborts, it has 2 s more.
 *
 * @param late takes what it becomes after that
 * @throws what the promise is rejected with; the signal's reason where the time is over
 */
async function untilAborted<T>(
  promise: T | PromiseLike<T>,
  signal: AbortSignal | undefined,
  late: (value: T) => void = () => {},
): Promise<T> {
  if (!signal) return promise;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let aborted = () => {};
  const over = new Promise<never>((_, reject) => {
    const leave = () => {
      reject(signal.reason);
      Promise.resolve(promise)
        .then(late)
        .catch(() => {}); // Nobody waits for what is thrown now.
    };
    aborted = () => {
      timer = setTimeout(leave, LAST_MS);
    };
  });
  if (signal.aborted) aborted();
  else signal.addEventListener("abort", aborted, { once: true });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", aborted);
  }
}

/** The compiled model. Where there is no adapter for it, one is waited for. */
async function made({ make, fit: { signal } }: Call): Promise<Compiled> {
  for (let tries = 0; ; tries++) {
    try {
      const model = await untilAborted(make(), signal, (late) => late?.dispose?.());
      assertModel(model, "trainWithRecovery: make");
      if (!model.runtime) throw new FeaturemapError("state", MAKE);
      return model as Compiled;
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      if (codeOf(error) === "lost") throw new Stopped("loss", error);
      if (codeOf(error) !== "device") throw error;
      if (tries === WAITS_MS.length) throw new Stopped("no adapter", error);
    }
    await new Promise((resolve) => setTimeout(resolve, WAITS_MS[tries]));
    signal?.throwIfAborted();
  }
}

const MAKE =
  "trainWithRecovery: make must give a new model that is compiled, got one that is not, or was disposed of after its device was " +
  "lost. Build it and await its compile() in make.";

async function trained(
  { fit, data, everyMs }: Call,
  model: Compiled,
  kept: Kept,
): Promise<Omit<Recovered, "recoveries">> {
  const { latest, stored } = kept;
  const { runtime } = model;
  let begun = false;
  // The first of the callbacks: what another one throws is no fault of the snapshot's.
  const begin: Callback = {
    onTrainBegin: () => {
      begun = true;
    },
  };
  const callbacks = [begin, ...(fit.callbacks ?? []), saving(model, everyMs, (taken) => kept.save(taken))];
  const run = async () => {
    if (latest) await restore(model, latest);
    const { validationData, ...rest } = fit;
    const held = validationData && { validationData: await on(runtime, validationData, fit.signal) };
    const options = { ...rest, ...held, callbacks, resume: latest !== undefined };
    const given = await on(runtime, data, fit.signal);
    return isDataset(given) ? model.fit(given, options) : model.fit(given[0], given[1], options);
  };
  const history = await run().catch((error: unknown) => {
    const code = codeOf(error);
    if (!stored || begun || !code || code === "lost") throw error;
    const forget = "Training was to go on from the snapshot in the store; store.set(undefined) forgets it.";
    throw new FeaturemapError(code, `${messageOf(error)} ${forget}`, { cause: error });
  });
  const taken = await snapshot(model);
  await kept.end(taken, fit.epochs ?? 1);
  return { model, history, snapshot: taken };
}

async function on(runtime: Runtime, data: LastingData, signal: AbortSignal | undefined): Promise<Labelled> {
  return typeof data === "function" ? untilAborted(data(runtime), signal) : data;
}

/** `checkpoint`, which takes no snapshot at the end of an epoch that is over in no time. */
function saving(model: Sequential, everyMs: number, save: (taken: Snapshot) => Promise<void>): Callback {
  let last = performance.now();
  const each = checkpoint(model, {
    ...{ everyMs, everyEpochs: 1 },
    save: (taken) => {
      last = performance.now();
      return save(taken);
    },
  });
  const onEpochEnd: NonNullable<Callback["onEpochEnd"]> = (epoch, logs) =>
    performance.now() - last >= everyMs * AT_EPOCH_END ? each.onEpochEnd?.(epoch, logs) : undefined;
  return { ...each, onEpochEnd };
}

type Facts = Kept["facts"] & { readonly recoveries: number };

function noAdapter(facts: Facts, cause: unknown): RecoveryError {
  const why = "the GPU device was lost, and there is no adapter for a new one";
  const remedy =
    "After some crashes a browser blocks WebGPU. Reload the page or, where that does not help, start the browser again";
  return new RecoveryError(`trainWithRecovery: ${why}. ${remedy}. ${placeOf(facts)}`, facts, cause);
}

function tooMany(facts: Facts, cause: unknown): RecoveryError {
  const why = `${MOST_FRUITLESS} devices were lost without a new snapshot between them, the last so: ${messageOf(cause)}`;
  return new RecoveryError(`trainWithRecovery: ${why} ${placeOf(facts)}`, facts, cause);
}

function placeOf({ snapshot, inStore }: Facts): string {
  if (!snapshot) return "There was no snapshot yet.";
  const { epoch = 0, steps = 0 } = snapshot.fit ?? {};
  const place = `epoch ${epoch + 1}, step ${steps}`;
  return inStore
    ? `The store holds a snapshot (${place}), from which the same call goes on.`
    : `error.snapshot (${place}) is what training goes on from: keep it, or give trainWithRecovery a store.`;
}

function codeOf(error: unknown): ErrorCode | undefined {
  return error instanceof FeaturemapError ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
