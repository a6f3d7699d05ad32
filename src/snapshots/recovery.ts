import { type ErrorCode, FeaturemapError, finiteNumber, knownKeys, optionalFunction, wrong } from "../base/errors.ts";
import { isDataset } from "../data/dataset.ts";
import { orLost } from "../gpu/lost.ts";
import type { Runtime } from "../gpu/runtime.ts";
import { dataOf, type Labelled } from "../model/calls.ts";
import { assertModel, type WithInternals } from "../model/internals.ts";
import type { Model } from "../model/model.ts";
import type { Prediction } from "../model/run-types.ts";
import type { Callback } from "../training/callback.ts";
import { checkFitOptions, FIT_OPTIONS, type FitOptions } from "../training/fit-options.ts";
import type { History } from "../training/history.ts";
import { checkpoint, isSound } from "./checkpoint.ts";
import { type LastingData, lasting } from "./lasting-data.ts";
import { restore, snapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot-format.ts";
import type { SnapshotStore } from "./snapshot-store.ts";

/** Options of `fit`, and those of recovery. */
export interface RecoveryOptions<P = Prediction> extends Omit<FitOptions<LastingData>, "resume"> {
  /** Builds and compiles the model: at the beginning, and anew after each lost device. It must always be the same. */
  make(): Model<P> | Promise<Model<P>>;
  readonly data: LastingData;
  /** Milliseconds from one snapshot to the next. A lost device costs the training since the last. Default 5000. */
  readonly everyMs?: number;
  /**
   * Store of the snapshots. Default: memory. Give `indexedDbSnapshots("digits")` to a training that must outlive the page: the next
   * call goes on from there. It is emptied when all epochs are done. A training that ends before leaves its last sound snapshot.
   */
  readonly store?: SnapshotStore;
  /** Called after each lost device, before the model is made anew. */
  onRecovery?(recovery: Recovery): void | Promise<void>;
}

/** Recovery from a lost device. */
export interface Recovery {
  /** Lost devices so far. */
  readonly recoveries: number;
  /** Error by which the loss showed. */
  readonly error: unknown;
  /** Epoch of the last snapshot, counted from 0, and its steps so far. Both are 0 if there is no snapshot yet. */
  readonly epoch: number;
  readonly steps: number;
}

/** Result of a training. */
export interface Recovered<P = Prediction> {
  /** Trained model: the one that `make` made last. */
  readonly model: Model<P>;
  /** History, the same as of a training whose device was never lost. */
  readonly history: History;
  /** Devices that were lost. */
  readonly recoveries: number;
  /** Snapshot of the trained model. If its device is lost later, `restore` puts it on another one. */
  readonly snapshot: Snapshot;
}

/** Error of a training that was given up: devices were lost again and again, or there is none. Its last snapshot is kept. */
export class RecoveryError extends FeaturemapError {
  /** Last snapshot; `undefined` if there was none yet. */
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

/** Lost devices in a row, without a new snapshot between them, after which training is given up. */
const MAX_FRUITLESS = 5;

/** Waits before each new try to find an adapter, in ms. After a crash of the GPU process there is one again soon. */
const WAITS_MS = [100, 300, 1000, 2000];

/** Time that the caller's promises have to settle once training is aborted, in ms. */
const GRACE_MS = 2000;

/** Share of `everyMs` that must have passed since the last snapshot for one at an epoch's end. */
const AT_EPOCH_END = 1 / 5;

/**
 * Trains as `fit` does and survives lost devices. It makes the model anew, restores the last snapshot and goes on. On the same
 * adapter, with the same choices, bits and history are those of a training that was never disturbed. It recovers from nothing but
 * lost devices. After any other error the model is disposed of; the last snapshot is in the `store`.
 *
 * Callbacks go on with the new model. Steps since the last snapshot are made again, and their hooks are called again;
 * `setModel` and `onTrainBegin` are called for each new model.
 *
 * A `signal` that aborts ends training as it ends `fit`. If `make`, `data`, `onRecovery` or the store has not settled 2 s later,
 * the call is rejected with the signal's reason. It still resolves if only the last snapshot cannot be stored.
 *
 * @example
 * const { model, history } = await trainWithRecovery({
 *   make: async () => {
 *     const model = sequential(layers());
 *     await model.compile(settings);
 *     return model;
 *   },
 *   data: [x, y], batchSize: 128, epochs: 10, store: indexedDbSnapshots("digits"),
 * });
 * @throws FeaturemapError as `fit` does; `lost`, a `RecoveryError` with the last snapshot, where five devices were lost without a
 *   new snapshot, or there is no other device: in a browser, reload the page then
 */
export async function trainWithRecovery<P = Prediction>(options: RecoveryOptions<P>): Promise<Recovered<P>> {
  const call = checked(options);
  const { signal } = call.fit;
  const last = new LastSnapshot(call.store, signal);
  await last.open();
  let recoveries = 0;
  for (let fruitless = 0; ; ) {
    const before = last.latest;
    try {
      return { ...(await attempt(call, last)), recoveries };
    } catch (thrown) {
      if (!(thrown instanceof AttemptEnded)) throw thrown;
      const { cause } = thrown;
      if (thrown.by === "no adapter") throw recoveries > 0 ? noAdapter({ ...last.facts, recoveries }, cause) : cause;
      recoveries++;
      fruitless = last.latest === before ? fruitless + 1 : 1;
      if (fruitless === MAX_FRUITLESS) throw tooMany({ ...last.facts, recoveries }, cause);
      const { epoch = 0, steps = 0 } = last.latest?.fit ?? {};
      await untilAborted(call.onRecovery?.({ recoveries, error: cause, epoch, steps }), signal);
    }
  }
}

type Call<P> = Omit<RecoveryOptions<P>, keyof FitOptions<LastingData>> & {
  readonly everyMs: number;
  readonly fit: FitOptions<LastingData>;
};

function checked<P>(options: RecoveryOptions<P>): Call<P> {
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
    make,
    everyMs,
    fit: { ...fit, ...held },
    data: lasting(data, `${where}: data`),
    ...(store && { store }),
    ...(onRecovery && { onRecovery }),
  };
}

/** Last snapshot, in memory and in the store. */
class LastSnapshot {
  latest: Snapshot | undefined;
  /** Whether the snapshot is of an earlier call. */
  stored = false;
  readonly #store: SnapshotStore | undefined;
  readonly #signal: AbortSignal | undefined;
  /** Saving under way: the store gets one snapshot after the other. */
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

  /** Stores a snapshot. A store that fails ends no training: a warning tells of it, and memory has the snapshot. */
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

  /** Saves what an ended training leaves: nothing if it is complete, the last sound snapshot if it came to NaN. */
  async end(taken: Snapshot, epochs: number): Promise<void> {
    if (!isSound(taken)) return;
    const complete = taken.fit !== undefined && taken.fit.epoch >= epochs;
    await untilAborted(this.save(taken, complete), this.#signal).catch(() => {
      console.warn(`trainWithRecovery: the store did not take the last snapshot within ${GRACE_MS} ms of the abort.`);
    });
  }
}

/** End of an attempt that did not fail by itself. */
class AttemptEnded extends Error {
  readonly by: "loss" | "no adapter";

  constructor(by: AttemptEnded["by"], cause: unknown) {
    super(by, { cause });
    this.by = by;
  }
}

type Compiled<P> = Model<P> & { readonly runtime: Runtime };

async function attempt<P>(call: Call<P>, last: LastSnapshot): Promise<Omit<Recovered<P>, "recoveries">> {
  const model = await makeModel(call);
  const { runtime } = model;
  try {
    return await orLost(runtime, trainOnce(call, model, last));
  } catch (error) {
    const gone = isLost(runtime);
    model.dispose();
    throw gone ? new AttemptEnded("loss", error) : error;
  }
}

/** Tells whether this model's device is lost. A device that the app lost elsewhere is no reason to make this one anew. */
function isLost(runtime: Runtime): boolean {
  try {
    runtime.assertLive();
    return false;
  } catch (error) {
    return codeOf(error) === "lost";
  }
}

/**
 * Awaits a caller's promise. Once `signal` aborts, it has 2 s more.
 *
 * @param late Takes the result that comes after that.
 * @throws the error of the promise; the signal's reason where the time is over
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
      timer = setTimeout(leave, GRACE_MS);
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

/** Makes the compiled model. If there is no adapter, it waits for one. */
async function makeModel<P>({ make, fit: { signal } }: Call<P>): Promise<Compiled<P>> {
  for (let tries = 0; ; tries++) {
    try {
      const model = await untilAborted(make(), signal, (late) => late?.dispose?.());
      assertModel(model, "trainWithRecovery: make");
      if (!model.runtime) throw new FeaturemapError("state", MAKE);
      return model as Compiled<P>;
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      if (codeOf(error) === "lost") throw new AttemptEnded("loss", error);
      if (codeOf(error) !== "device") throw error;
      if (tries === WAITS_MS.length) throw new AttemptEnded("no adapter", error);
    }
    await new Promise((resolve) => setTimeout(resolve, WAITS_MS[tries]));
    signal?.throwIfAborted();
  }
}

const MAKE =
  "trainWithRecovery: make must give a new model that is compiled, got one that is not, or was disposed of after its device was " +
  "lost. Build it and await its compile() in make.";

async function trainOnce<P>(
  { fit, data, everyMs }: Call<P>,
  model: Compiled<P>,
  last: LastSnapshot,
): Promise<Omit<Recovered<P>, "recoveries">> {
  const { latest, stored } = last;
  const { runtime } = model;
  let begun = false;
  // It is first among the callbacks: an error of another one must not cost the snapshot.
  const begin: Callback = {
    onTrainBegin: () => {
      begun = true;
    },
  };
  const callbacks = [begin, ...(fit.callbacks ?? []), saving(model, everyMs, (taken) => last.save(taken))];
  const run = async () => {
    if (latest) await restore(model, latest);
    const { validationData, ...rest } = fit;
    const held = validationData && { validationData: await dataOn(runtime, validationData, fit.signal) };
    const options = { ...rest, ...held, callbacks, resume: latest !== undefined };
    const given = dataOf(await dataOn(runtime, data, fit.signal), "trainWithRecovery: data");
    if (isDataset(given)) return model.fit(given, options);
    return model.fit(given.x, given.y!, { ...options, sampleWeight: given.sampleWeight });
  };
  const history = await run().catch((error: unknown) => {
    const code = codeOf(error);
    if (!stored || begun || !code || code === "lost") throw error;
    const forget = "Training was to go on from the snapshot in the store; store.set(undefined) forgets it.";
    throw new FeaturemapError(code, `${messageOf(error)} ${forget}`, { cause: error });
  });
  const taken = await snapshot(model);
  await last.end(taken, fit.epochs ?? 1);
  return { model, history, snapshot: taken };
}

async function dataOn(runtime: Runtime, data: LastingData, signal: AbortSignal | undefined): Promise<Labelled> {
  return typeof data === "function" ? untilAborted(data(runtime), signal) : data;
}

/** Makes a `checkpoint` that takes no snapshot at the end of a very short epoch. */
function saving(model: WithInternals, everyMs: number, save: (taken: Snapshot) => Promise<void>): Callback {
  let last = performance.now();
  const each = checkpoint(model, {
    everyMs,
    everyEpochs: 1,
    save: (taken) => {
      last = performance.now();
      return save(taken);
    },
  });
  const onEpochEnd: NonNullable<Callback["onEpochEnd"]> = (epoch, logs) =>
    performance.now() - last >= everyMs * AT_EPOCH_END ? each.onEpochEnd?.(epoch, logs) : undefined;
  return { ...each, onEpochEnd };
}

type Facts = LastSnapshot["facts"] & { readonly recoveries: number };

function noAdapter(facts: Facts, cause: unknown): RecoveryError {
  const why = "the GPU device was lost, and there is no adapter for a new one";
  const remedy =
    "After some crashes a browser blocks WebGPU. Reload the page or, where that does not help, start the browser again";
  return new RecoveryError(`trainWithRecovery: ${why}. ${remedy}. ${placeOf(facts)}`, facts, cause);
}

function tooMany(facts: Facts, cause: unknown): RecoveryError {
  const why = `${MAX_FRUITLESS} devices were lost without a new snapshot between them, the last so: ${messageOf(cause)}`;
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
