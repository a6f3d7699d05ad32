import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type Callback,
  dense,
  FeaturemapError,
  type FitOptions,
  input,
  type Labelled,
  model,
  RecoveryError,
  type RecoveryOptions,
  type Snapshot,
  type SnapshotStore,
  trainWithRecovery,
} from "../../src/index.ts";
import { Sequential } from "../../src/model/sequential.ts";
import { restore, snapshot } from "../../src/snapshots/snapshot.ts";
import { History } from "../../src/training/history.ts";
import { type FakeModel, type Fit, fakeModel, lostError } from "../support/fake-model.ts";

// What is on a GPU is faked: a snapshot is the number of steps.
vi.mock("../../src/snapshots/snapshot.ts", () => ({ restore: vi.fn(), snapshot: vi.fn() }));

const snapshotAt = (steps: number, epoch = 0) => ({ variables: [], fit: { epoch, steps } }) as unknown as Snapshot;

const models: FakeModel[] = [];

/** Calls a hook of all callbacks, in order. */
async function each(options: FitOptions<Labelled>, hook: (callback: Callback) => unknown) {
  for (const callback of options.callbacks ?? []) await hook(callback);
}

/** So many steps, each with a snapshot that is saved; then `end`. */
const training =
  (steps: number, end: (model: FakeModel) => unknown = () => {}): Fit =>
  async ({ options, model }) => {
    await each(options, (callback) => callback.onTrainBegin?.({ epochs: 1, steps: 100, batchSize: 1 }));
    for (let i = 0; i < steps; i++) {
      model.steps++;
      await each(options, (callback) => callback.onTrainBatchEnd?.(i, { loss: 1 }, { samples: 1, badStep: 0 }));
      await new Promise((resolve) => setTimeout(resolve));
    }
    await end(model);
    await each(options, (callback) => callback.onTrainEnd?.(new History()));
  };
const losing = (model: FakeModel) => {
  throw model.lose();
};

/** Models that train as listed, the last of them again and again. */
const inTurn =
  (...fits: Fit[]) =>
  () =>
    models[models.push(fakeModel(fits[Math.min(models.length, fits.length - 1)]!, models.length)) - 1]!;

const basic = {
  data: [
    [[1], [2]],
    [0, 1],
  ],
  everyMs: 0,
} as const;
const run = (make: RecoveryOptions["make"], more: Partial<Omit<RecoveryOptions, "make">> = {}) =>
  trainWithRecovery({ ...basic, make, ...more } as RecoveryOptions);
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.fail("it resolved"),
    (error) => error,
  );

beforeEach(() => {
  models.length = 0;
  vi.mocked(snapshot).mockImplementation(async (model) => snapshotAt((model as FakeModel).steps));
  vi.mocked(restore).mockImplementation(async (model, { fit }) => {
    (model as FakeModel).steps = fit!.steps;
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("trainWithRecovery, where a device is lost,", () => {
  it("goes on from the last snapshot, on a new model, and tells of it", async () => {
    const told = vi.fn();
    const resumed: unknown[] = [];
    const last: Fit = (call) => {
      resumed.push(call.options.resume, call.model.steps);
      return training(2)(call);
    };
    const result = await run(inTurn(training(3, losing), last), { onRecovery: told });
    expect(result).toMatchObject({ model: models[1], recoveries: 1, snapshot: snapshotAt(5) });
    expect(result.history).toBeInstanceOf(History);
    expect(resumed).toEqual([true, 3]);
    expect(models.map(({ disposed }) => disposed)).toEqual([true, false]);
    expect(told.mock.calls).toEqual([
      [{ recoveries: 1, error: expect.objectContaining({ code: "lost" }), epoch: 0, steps: 3 }],
    ]);
  });

  it("recovers wherever that is: in make, restore, the data, a checkpoint and the last snapshot", async () => {
    let makes = 0;
    const make = async () => {
      if (++makes === 1) throw lostError();
      return inTurn(training(2, losing), training(1))();
    };
    /** The first call of a function beside the class, on a model, loses its device. */
    const once = (mock: typeof restore | typeof snapshot, model: number) => {
      const mocked = vi.mocked(mock as (of: Sequential, given: Snapshot) => Promise<unknown>);
      const real = mocked.getMockImplementation()!;
      let done = false;
      mocked.mockImplementation(async (of, given) => {
        if (done || of !== models[model]) return real(of, given);
        done = true;
        throw models[model]!.lose();
      });
    };
    once(restore, 1);
    once(snapshot, 3);
    const data = vi.fn((runtime: unknown) => {
      if ((runtime as { number: number }).number === 2) throw models[2]!.lose();
      return [
        [[1], [2]],
        [0, 1],
      ] as const;
    });
    const result = await run(make, { data: data as unknown as RecoveryOptions["data"] });
    expect(result.recoveries).toBe(5);
    expect(models.map(({ disposed }) => disposed)).toEqual([true, true, true, true, false]);
  });

  it("takes a DOMException that comes with the loss for it, and none that does not", async () => {
    const failing = (lose: boolean): Fit =>
      training(1, (model) => {
        if (lose) setTimeout(() => model.lose(), 10);
        throw new DOMException("Device is lost", "OperationError");
      });
    expect(await run(inTurn(failing(true), training(1)))).toMatchObject({ recoveries: 1 });
    models.length = 0;
    expect(await failureOf(run(inTurn(failing(false))))).toBeInstanceOf(DOMException);
    expect(models).toHaveLength(1);
  });

  it("gives up after five without a new snapshot, and hands over the last one", async () => {
    const error: RecoveryError = await failureOf(run(inTurn(training(3, losing), training(0, losing))));
    expect(error).toBeInstanceOf(RecoveryError);
    expect(error).toMatchObject({ code: "lost", snapshot: snapshotAt(3), recoveries: 5 });
    expect(error.message).toBe(
      "trainWithRecovery: 5 devices were lost without a new snapshot between them, the last so: The GPU device was lost " +
        "(unknown). error.snapshot (epoch 1, step 3) is what training goes on from: keep it, or give trainWithRecovery a store.",
    );
    expect(models.every(({ disposed }) => disposed)).toBe(true);
  });

  it("goes on as long as there are new snapshots", async () => {
    const fits = Array.from({ length: 12 }, () => training(1, losing));
    expect(await run(inTurn(...fits, training(1)))).toMatchObject({ recoveries: 12, snapshot: snapshotAt(13) });
  });

  it("waits for an adapter, and where there is none any more says to reload", async () => {
    const noAdapter = new FeaturemapError("device", "WebGPU is here but found no adapter.");
    vi.useFakeTimers();
    const missing = (times: number) => {
      let makes = 0;
      models.length = 0;
      return () => {
        makes++;
        if (makes > 1 && makes <= 1 + times) throw noAdapter;
        return inTurn(training(2, losing), training(1))();
      };
    };
    const back = run(missing(3));
    await vi.runAllTimersAsync();
    expect(await back).toMatchObject({ recoveries: 1, snapshot: snapshotAt(3) });
    const gone = failureOf(run(missing(100), { store: { get: () => null, set: () => {} } }));
    await vi.runAllTimersAsync();
    expect(await gone).toMatchObject({
      code: "lost",
      recoveries: 1,
      snapshot: snapshotAt(2),
      cause: noAdapter,
      message:
        "trainWithRecovery: the GPU device was lost, and there is no adapter for a new one. After some crashes a browser blocks " +
        "WebGPU. Reload the page or, where that does not help, start the browser again. The store holds a snapshot (epoch 1, " +
        "step 2), from which the same call goes on.",
    });
    const never = failureOf(
      run(() => {
        throw noAdapter;
      }),
    );
    await vi.runAllTimersAsync();
    expect(await never).toBe(noAdapter);
  });

  it("stops waiting for an adapter when it is aborted", async () => {
    const stop = new AbortController();
    const make = () => {
      stop.abort(new Error("enough"));
      throw new FeaturemapError("device", "no adapter");
    };
    await expect(run(make, { signal: stop.signal })).rejects.toThrow("enough");
  });
});

describe("trainWithRecovery", () => {
  it("recovers from no other error, and disposes of the model", async () => {
    for (const error of [
      new FeaturemapError("value", "labels"),
      new FeaturemapError("state", "disposed"),
      new Error("mine"),
    ]) {
      models.length = 0;
      const failing = training(1, () => {
        throw error;
      });
      expect(await failureOf(run(inTurn(failing)))).toBe(error);
      expect(models.map(({ disposed }) => disposed)).toEqual([true]);
    }
  });

  it("does not take another device's loss for its own", async () => {
    const other = lostError();
    const failing = training(1, () => {
      throw other;
    });
    expect(await failureOf(run(inTurn(failing)))).toBe(other);
    expect(models).toHaveLength(1);
  });

  it("trains on the numbers that it was given, whatever becomes of the arrays", async () => {
    const [x, y] = [Float32Array.of(1, 2), Uint32Array.of(0, 1)];
    const sampleWeight = Float32Array.of(0.5, 4);
    const held = Float32Array.of(3);
    const seen: unknown[] = [];
    const look: Fit = (call) => {
      const [[heldX]] = [call.options.validationData as unknown as [{ data: Float32Array }]];
      seen.push(
        [...(call.x as { data: Float32Array }).data],
        [...(call.y as { data: Uint32Array }).data],
        [...(call.options as unknown as { sampleWeight: { data: Float32Array } }).sampleWeight.data],
        [...heldX.data],
      );
      return training(1, models.length === 1 ? losing : undefined)(call);
    };
    const data = [
      { data: x, shape: [2, 1] },
      { data: y, shape: [2] },
      { data: sampleWeight, shape: [2] },
    ] as const;
    const validationData = [{ data: held, shape: [1, 1] }, [0]] as const;
    const done = run(inTurn(look), { data, validationData });
    for (const array of [x, y, sampleWeight, held]) array.fill(9);
    await done;
    const once = [[1, 2], [0, 1], [0.5, 4], [3]];
    expect(seen).toEqual([...once, ...once]);
  });

  it("asks a function for the data of each device", async () => {
    const data = vi.fn((runtime: unknown) => [[[(runtime as { number: number }).number]], [0]] as const);
    const seen: unknown[] = [];
    const look: Fit = (call) => {
      seen.push(call.x);
      return training(1, models.length === 1 ? losing : undefined)(call);
    };
    await run(inTurn(look), { data: data as unknown as RecoveryOptions["data"] });
    expect(seen).toEqual([[[0]], [[1]]]);
  });

  it("refuses what a function gives if it is no list of data", async () => {
    const data = () => [[[1]], [0], [1], 4] as never;
    const error = await failureOf(run(inTurn(training(1)), { data }));
    expect(error).toMatchObject({
      code: "value",
      message: expect.stringMatching(/trainWithRecovery: data must be \[x, y\]/),
    });
  });

  it.each<[string, object, RegExp]>([
    ["no make", { make: undefined }, /make must be a function that builds and compiles a model, got undefined/],
    ["no data", { data: undefined }, /data must be \[x, y\], \[x, y, sampleWeight\] or a function.*, got undef/],
    ["an option that is unknown", { epoch: 3 }, /trainWithRecovery has no option "epoch"\. It takes: make, data/],
    ["resume", { resume: true }, /trainWithRecovery has no option "resume"/],
    ["a store without set", { store: { get: () => {} } }, /store must have get\(\) and set\(snapshot\)/],
    ["everyMs below 0", { everyMs: -1 }, /everyMs must be a finite number of at least 0, got -1/],
    ["a wrong option of fit", { epochs: 0 }, /epochs must be a whole number of at least 1, got 0/],
    ["an onRecovery that is none", { onRecovery: 3 }, /onRecovery must be a function/],
  ])("refuses %s before it makes anything", async (_, more, message) => {
    const error = await failureOf(run(inTurn(training(1)), more));
    expect(error).toBeInstanceOf(FeaturemapError);
    expect(error).toMatchObject({ code: "value", message: expect.stringMatching(message) });
    expect(models).toHaveLength(0);
  });

  it("refuses a make that gives no model, or one that is not compiled", async () => {
    const error = await failureOf(run(() => ({}) as Sequential));
    expect(error).toMatchObject({
      code: "value",
      message: expect.stringMatching(/make: model must come from sequential/),
    });
    const bare = await failureOf(run(() => new Sequential([], "bare")));
    expect(bare).toMatchObject({
      code: "state",
      message: expect.stringMatching(/make must give a new model that is compiled/),
    });
  });
});

describe("a store", () => {
  const memory = (first?: Snapshot) => {
    const set: unknown[] = [];
    let now = first;
    const store: SnapshotStore = {
      get: async () => now,
      set: async (next) => {
        set.push(next?.fit?.steps);
        now = next;
      },
    };
    return { store, set };
  };

  /** Snapshots from now on. */
  const standsAt = (taken: Snapshot) => void vi.mocked(snapshot).mockResolvedValue(taken);
  const notFinite = [{ path: "kernel", role: "parameter", shape: [1], data: Float32Array.of(Number.NaN) }] as const;

  it("is given each snapshot, and emptied when training is complete", async () => {
    const { store, set } = memory();
    await run(inTurn(training(2, () => standsAt(snapshotAt(0, 1)))), { store });
    expect(set).toEqual([1, 2, undefined]);
  });

  it("keeps where a training stands that a guard or stopTraining ended", async () => {
    const { store } = memory();
    await run(inTurn(training(2)), { store, epochs: 2 });
    expect(await store.get()).toEqual(snapshotAt(2));
    const ended = training(1, () => standsAt(snapshotAt(0, 1)));
    await run(inTurn(ended), { store, epochs: 2 });
    expect(await store.get()).toEqual(snapshotAt(0, 1));
  });

  it("keeps the last sound snapshot of a training that came to NaN, though all epochs are done", async () => {
    const { store } = memory();
    await run(inTurn(training(2, () => standsAt({ ...snapshotAt(0, 1), variables: notFinite }))), { store });
    expect(await store.get()).toEqual(snapshotAt(2));
  });

  it("is what the next call goes on from", async () => {
    const { store } = memory(snapshotAt(7));
    expect(await run(inTurn(training(1)), { store })).toMatchObject({ recoveries: 0, snapshot: snapshotAt(8) });
  });

  it("keeps where an aborted training stands", async () => {
    const stop = new AbortController();
    const { store } = memory();
    await run(inTurn(training(2, () => stop.abort())), { store, signal: stop.signal });
    expect(await store.get()).toEqual(snapshotAt(2));
  });

  it("keeps the last sound snapshot of an aborted training that came to NaN", async () => {
    const stop = new AbortController();
    const { store } = memory();
    const failing = training(2, () => {
      standsAt({ ...snapshotAt(3), variables: notFinite });
      stop.abort();
    });
    await run(inTurn(failing), { store, signal: stop.signal });
    expect(await store.get()).toEqual(snapshotAt(2));
  });

  it("that cannot be written stops nothing, and is told of", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const set = () => {
      throw new Error("quota");
    };
    const result = await run(inTurn(training(2, losing), training(1)), { store: { get: () => undefined, set } });
    expect(result).toMatchObject({ recoveries: 1, snapshot: snapshotAt(3) });
    expect(warn.mock.calls[0]![0]).toMatch(/the store does not take the snapshot, training goes on: quota/);
  });

  it("that cannot be read ends the call before anything is overwritten", async () => {
    const set = vi.fn();
    const get = () => Promise.reject(new Error("blocked"));
    await expect(run(inTurn(training(1)), { store: { get, set } })).rejects.toThrow("blocked");
    expect(set).not.toHaveBeenCalled();
    expect(models).toHaveLength(0);
  });

  it("with a snapshot of another model stays as it is, and the error says how to empty it", async () => {
    vi.mocked(restore).mockRejectedValue(new FeaturemapError("shape", "restore: another network."));
    const { store, set } = memory(snapshotAt(7));
    expect(await failureOf(run(inTurn(training(1)), { store }))).toMatchObject({
      code: "shape",
      message:
        "restore: another network. Training was to go on from the snapshot in the store; store.set(undefined) forgets it.",
    });
    expect(set).toEqual([]);
  });

  it("is not to blame for what a callback throws at the begin", async () => {
    const mine = new FeaturemapError("value", "mine");
    const onTrainBegin = () => {
      throw mine;
    };
    const { store } = memory(snapshotAt(7));
    expect(await failureOf(run(inTurn(training(1)), { store, callbacks: [{ onTrainBegin }] }))).toBe(mine);
  });
});

describe("trainWithRecovery, of several inputs and outputs,", () => {
  it("copies columns by name", async () => {
    const image = new Float32Array([1, 2]);
    const seen: unknown[] = [];
    const fit: Fit = ({ x, y }) => void seen.push(x, y);
    const x = { image: { data: image, shape: [2, 1] }, place: [[3], [4]] };
    const training = run(inTurn(fit), { data: [x, { digit: [0, 1] }] });
    image.fill(0);
    await training;
    expect(seen).toMatchObject([
      { image: { data: Float32Array.of(1, 2) }, place: { data: Float32Array.of(3, 4) } },
      { digit: { data: Float32Array.of(0, 1) } },
    ]);
  });

  it("refuses a buffer, which is gone with its device", async () => {
    const buffer = { size: 8, usage: 0x80, [Symbol.toStringTag]: "GPUBuffer" } as unknown as GPUBuffer;
    const data = [{ a: { buffer, shape: [2, 1] } }, [0, 1]] as const;
    const { message } = await failureOf(
      run(
        inTurn(() => {}),
        { data },
      ),
    );
    expect(message).toMatch(/^trainWithRecovery: data: x\.a must be numbers, which outlive a device, got/);
  });

  it("has the type of the model that is made", () => {
    const made = () => {
      const x = input({ shape: [2] });
      return model({ inputs: x, outputs: { a: dense({ units: 1 })(x), b: dense({ units: 1 })(x) } });
    };
    const call = () => trainWithRecovery({ make: made, data: [[[1, 2]], { a: [[0.5]], b: [[1.5]] }] });
    const shapeOf = async () => (await (await call()).model.predict([[1, 2]])).a.shape;
    expect(shapeOf).toBeInstanceOf(Function);
  });
});
