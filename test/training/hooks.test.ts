import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { GUARD } from "../../src/training/callback.ts";
import { Hooks } from "../../src/training/hooks.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const never = () => new Promise<void>(() => {});

/** Whether a promise is settled, once all that is ready has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let is = false;
  promise.then(
    () => {
      is = true;
    },
    () => {
      is = true;
    },
  );
  await vi.advanceTimersByTimeAsync(0);
  return is;
}

describe("hooks", () => {
  it("run one after the other, in the callbacks' order, and throw what one throws", async () => {
    const seen: string[] = [];
    const slow = (name: string) => ({
      onEpochBegin: async () => {
        await Promise.resolve();
        seen.push(name);
      },
    });
    const hooks = new Hooks([slow("a"), {}, slow("b")], undefined);
    hooks.begin();
    await hooks.call((callback) => callback.onEpochBegin?.(0));
    expect(seen).toEqual(["a", "b"]);
    const failing = new Hooks([{ onEpochBegin: () => Promise.reject(new Error("mine")) }, slow("c")], undefined);
    await expect(failing.call((callback) => callback.onEpochBegin?.(0))).rejects.toThrow("mine");
    expect(seen).toEqual(["a", "b"]);
  });

  it("that never settle hold training up until 2 s after the signal is aborted, or the model is gone", async () => {
    const stop = new AbortController();
    const hooks = new Hooks([{ onEpochBegin: never, onTrainEnd: never }], stop.signal);
    hooks.begin();
    const waiting = hooks.call((callback) => callback.onEpochBegin?.(0));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await settled(waiting)).toBe(false);
    stop.abort();
    await vi.advanceTimersByTimeAsync(1900);
    expect(await settled(waiting)).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    expect(await settled(waiting)).toBe(true);
    const last = hooks.call((callback) => callback.onTrainEnd?.({} as never));
    expect(await settled(last)).toBe(true);
    hooks.end();
    expect(vi.getTimerCount()).toBe(0);

    const others = new Hooks([{ onEpochBegin: never }], undefined);
    const held = others.call((callback) => callback.onEpochBegin?.(0));
    expect(await settled(held)).toBe(false);
    others.abandon();
    expect(await settled(held)).toBe(true);
  });

  it("have their time after an abort that came before training began, too", async () => {
    const hooks = new Hooks([{ onTrainEnd: never }], AbortSignal.abort());
    hooks.begin();
    const last = hooks.call((callback) => callback.onTrainEnd?.({} as never));
    expect(await settled(last)).toBe(false);
    await vi.advanceTimersByTimeAsync(2100);
    expect(await settled(last)).toBe(true);
  });

  it("that fail after nobody waits for them reject nothing", async () => {
    const rejections = vi.fn();
    process.on("unhandledRejection", rejections);
    let fail = () => {};
    const failing = new Promise<void>((_, reject) => {
      fail = () => reject(new Error("late"));
    });
    const hooks = new Hooks([{ onEpochBegin: () => failing }], undefined);
    const waiting = hooks.call((callback) => callback.onEpochBegin?.(0));
    hooks.abandon();
    await waiting;
    fail();
    vi.useRealTimers();
    await new Promise((resolve) => setTimeout(resolve, 5));
    process.off("unhandledRejection", rejections);
    expect(rejections).not.toHaveBeenCalled();
  });

  it("of a guard are waited for all the same", async () => {
    let settle = () => {};
    const running = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const hooks = new Hooks([{ [GUARD]: { release: () => {} }, onTrainEnd: () => running }], undefined);
    hooks.abandon();
    await hooks.abandoned;
    const last = hooks.call((callback) => callback.onTrainEnd?.({} as never));
    expect(await settled(last)).toBe(false);
    settle();
    expect(await settled(last)).toBe(true);
  });
});
