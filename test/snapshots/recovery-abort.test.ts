import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FeaturemapError, type RecoveryOptions, type Snapshot, trainWithRecovery } from "../../src/index.ts";
import { restore, snapshot } from "../../src/snapshots/snapshot.ts";
import { type FakeModel, type Fit, fakeModel } from "../support/fake-model.ts";

vi.mock("../../src/snapshots/snapshot.ts", () => ({ restore: vi.fn(), snapshot: vi.fn() }));

const LAST_MS = 2000;
/** What fails beside a live device is thrown so much later: the device may be lost. */
const LOST_MS = 100;
const taken = { variables: [], fit: { epoch: 0, steps: 3 } } as unknown as Snapshot;
const never = () => new Promise<never>(() => {});
const memory = { get: () => undefined, set: () => {} };

const unheard = vi.fn();
beforeEach(() => {
  vi.useFakeTimers();
  vi.mocked(snapshot).mockResolvedValue(taken);
  vi.mocked(restore).mockResolvedValue();
  process.on("unhandledRejection", unheard);
});
afterEach(async () => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off("unhandledRejection", unheard);
  expect(unheard).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

/** Trains until it is aborted, after 500 ms, with `reason`; what the call comes to by then, and so many ms later. */
async function aborted(more: Partial<RecoveryOptions>, ms: number, reason: unknown = new Error("enough")) {
  const stop = new AbortController();
  const untilStopped: Fit = () => new Promise((resolve) => setTimeout(resolve, 510));
  const basic: RecoveryOptions = { make: () => fakeModel(untilStopped, 0), data: [[[1]], [0]], everyMs: 0 };
  let end: unknown = "pending";
  trainWithRecovery({ ...basic, ...more, signal: stop.signal }).then(
    (result) => {
      end = result;
    },
    (error: unknown) => {
      end = error;
    },
  );
  await vi.advanceTimersByTimeAsync(500);
  stop.abort(reason);
  await vi.advanceTimersByTimeAsync(ms);
  return end;
}

describe("trainWithRecovery, aborted while something of the caller's never settles,", () => {
  const losing: Fit = ({ model }) => {
    throw model.lose();
  };
  it.each<[string, Partial<RecoveryOptions>]>([
    ["make", { make: never }],
    ["data", { data: never }],
    ["validationData", { validationData: never }],
    ["store.get", { store: { ...memory, get: never } }],
    ["onRecovery", { make: () => fakeModel(losing, 0), onRecovery: never }],
  ])("waits for %s 2 s more, and throws the reason", async (_, more) => {
    const reason = new Error("enough");
    expect(await aborted(more, LAST_MS - 1, reason)).toBe("pending");
    await vi.advanceTimersByTimeAsync(1 + LOST_MS);
    expect(await aborted(more, LAST_MS + LOST_MS, reason)).toBe(reason);
  });

  it("resolves where only the store has not taken the last snapshot, and tells of it", async () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    const result = await aborted({ store: { ...memory, set: never } }, 10 + LAST_MS);
    expect(result).toMatchObject({ recoveries: 0, snapshot: taken });
    const words = "trainWithRecovery: the store did not take the last snapshot within 2000 ms of the abort.";
    expect(warn.mock.calls).toEqual([[words]]);
  });

  it("gives the store time for the last snapshot", async () => {
    const set = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, LAST_MS - 100)));
    expect(await aborted({ store: { ...memory, set } }, 10 + LAST_MS)).toMatchObject({ snapshot: taken });
    expect(set.mock.calls).toEqual([[taken]]);
  });

  it("takes no reason for a loss", async () => {
    const reason = new FeaturemapError("lost", "The app gave its device up.");
    expect(await aborted({ make: never }, LAST_MS, reason)).toBe(reason);
  });
});

it("trainWithRecovery disposes of a model that make gives too late, and hears what it throws then", async () => {
  const model: FakeModel = fakeModel(() => {}, 0);
  const later = (run: () => FakeModel) => () =>
    new Promise<FakeModel>((resolve) => setTimeout(resolve, 5000)).then(run);
  expect(await aborted({ make: later(() => model) }, LAST_MS)).toMatchObject({ message: "enough" });
  expect(model.disposed).toBe(false);
  await vi.advanceTimersByTimeAsync(5000);
  expect(model.disposed).toBe(true);
  const failing = later(() => {
    throw new Error("too late");
  });
  expect(await aborted({ make: failing }, LAST_MS)).toMatchObject({ message: "enough" });
  await vi.advanceTimersByTimeAsync(5000);
});
