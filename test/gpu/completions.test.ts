import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Completions, isFirefox } from "../../src/gpu/completions.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A device that looks for finished work each 100 ms and when something is submitted, as Firefox's does. */
function pollingDevice() {
  const waiting: { due: number; settle: () => void }[] = [];
  const look = () => {
    for (const one of [...waiting]) {
      if (one.due > performance.now()) continue;
      waiting.splice(waiting.indexOf(one), 1);
      one.settle();
    }
  };
  const poll = setInterval(look, 100);
  const after = (ms: number, fails = false) =>
    new Promise<undefined>((resolve, reject) => {
      const settle = () => (fails ? reject(new Error("destroyed")) : resolve(undefined));
      waiting.push({ due: performance.now() + ms, settle });
    });
  const submit = vi.fn(look);
  const finish = vi.fn(() => ({}));
  let work = 0;
  const device = {
    createCommandEncoder: () => ({ finish }),
    queue: { submit, onSubmittedWorkDone: () => after(work) },
  } as unknown as GPUDevice;
  const takes = (ms: number) => {
    work = ms;
  };
  return { device, submit, takes, after, stop: () => clearInterval(poll) };
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  let ended: number | undefined;
  const end = () => {
    ended = performance.now() - begun;
  };
  run().then(end, end);
  while (ended === undefined) await vi.advanceTimersByTimeAsync(1);
  return ended;
}

describe("in Firefox", () => {
  it("what is done is known within a few milliseconds, and nothing is submitted afterwards", async () => {
    const { device, submit, takes, stop } = pollingDevice();
    const completions = new Completions(device, true, () => {});
    takes(10);
    expect(await timeOf(() => completions.submitted())).toBeLessThan(16);
    expect(submit).toHaveBeenCalledTimes(3);
    expect(submit.mock.calls[0]).toEqual([[{}]]);
    await vi.advanceTimersByTimeAsync(500);
    expect(submit).toHaveBeenCalledTimes(3);
    stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it("several that wait at once share the nudges, until the last is done", async () => {
    const { device, submit, after, stop } = pollingDevice();
    const completions = new Completions(device, true, () => {});
    const buffer = (ms: number) => ({ mapAsync: () => after(ms) }) as unknown as GPUBuffer;
    const all = () => Promise.all([completions.mapped(buffer(5)), completions.mapped(buffer(30))]);
    expect(await timeOf(all)).toBeLessThan(36);
    expect(submit).toHaveBeenCalledTimes(8);
    stop();
  });

  it("a wait that fails, fails, and ends the nudges", async () => {
    const { device, after, stop } = pollingDevice();
    const completions = new Completions(device, true, () => {});
    const waiting = completions.mapped({ mapAsync: () => after(5, true) } as unknown as GPUBuffer);
    const failed = expect(waiting).rejects.toThrow("destroyed");
    await vi.advanceTimersByTimeAsync(20);
    await failed;
    stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

it("a wait that a lost device refuses says that it is lost, though the device is late to say so", async () => {
  const { device, after, stop } = pollingDevice();
  let gone = false;
  const lost = new Promise<void>((resolve) => setTimeout(resolve, 60)).then(() => {
    gone = true;
  });
  const completions = new Completions(Object.assign(device, { lost }) as unknown as GPUDevice, false, () => {
    if (gone) throw new Error("the device is lost");
  });
  const refused = completions.mapped({ mapAsync: () => after(5, true) } as unknown as GPUBuffer);
  const said = expect(refused).rejects.toThrow("the device is lost");
  await vi.advanceTimersByTimeAsync(300);
  await said;
  stop();
});

it("elsewhere nothing is submitted: the same device reports at its poll", async () => {
  const { device, submit, takes, stop } = pollingDevice();
  const completions = new Completions(device, false, () => {});
  takes(10);
  expect(await timeOf(() => completions.submitted())).toBeGreaterThan(90);
  expect(submit).not.toHaveBeenCalled();
  stop();
});

it.each([
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0", true],
  ["Mozilla/5.0 (Android 16; Mobile; rv:153.0) Gecko/153.0 Firefox/153.0", true],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 FxiOS/153.0 Safari/605.1.15", false],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:60.0) Gecko/20100101 Firefox/60.0 SeaMonkey/2.53", false],
  ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", false],
  ["Node.js/24", false],
  ["Deno/2.9.0", false],
  [undefined, false],
])("tells Firefox by its user agent: %s", (userAgent, firefox) => {
  expect(isFirefox(userAgent)).toBe(firefox);
});
