import { describe, expect, it } from "vitest";
import { type Contest, calibrate, race } from "../../src/tune/race.ts";

const rules = { timingMs: 6, margin: 0.03 };

/** Candidates that take so many ms a run, on a clock with steps of `step` ms; `noise` is added by the number of the timing. */
function contest(costs: readonly number[], { step = 0, noise = (_: number) => 0 } = {}) {
  const timed: { candidate: number; runs: number }[] = [];
  const fake: Contest = {
    candidates: costs.length,
    time: async (candidate, runs) => {
      timed.push({ candidate, runs });
      const ms = costs[candidate]! * runs + noise(timed.length);
      return step > 0 ? Math.floor(ms / step) * step : ms;
    },
  };
  return { fake, timed };
}

async function winner(costs: readonly number[], options = {}) {
  const { fake, timed } = contest(costs, options);
  const calibration = await calibrate(fake, rules);
  return { place: await race(fake, calibration!, rules), timed, runs: calibration!.runs };
}

describe("calibrate", () => {
  it("finds a number of runs that takes long enough, by few timings and never far ahead of what it knows", async () => {
    const { fake, timed } = contest([0.004], { step: 0.1 });
    const { runs, ms } = (await calibrate(fake, rules))!;
    expect(runs * 0.004).toBeGreaterThanOrEqual(6);
    expect(runs * 0.004).toBeLessThan(24);
    expect(ms).toBeCloseTo(0.004, 3);
    expect(timed.length).toBeLessThan(8);
    timed.slice(1).forEach(({ runs: next }, i) => {
      expect(next).toBeLessThanOrEqual(8 * timed[i]!.runs);
    });
  });

  it("takes one run where that is long", async () => {
    const { fake, timed } = contest([50]);
    expect(await calibrate(fake, rules)).toEqual({ runs: 1, ms: 50 });
    expect(timed).toHaveLength(1);
  });

  it("gives up where the clock never moves", async () => {
    const { fake, timed } = contest([0]);
    expect(await calibrate(fake, rules)).toBeUndefined();
    expect(timed.length).toBeLessThan(10);
  });
});

describe("race", () => {
  it("is won by the fastest", async () => {
    expect((await winner([1, 0.9, 0.7, 0.8])).place).toBe(2);
  });

  it("is not lost by the first to one that is not faster by the margin", async () => {
    expect((await winner([1, 0.98])).place).toBe(0);
    expect((await winner([1, 0.96])).place).toBe(1);
    expect((await winner([1, 1, 1])).place).toBe(0);
  });

  it("sees a difference of a tenth on a clock with steps of 0.1 ms, in kernels of microseconds", async () => {
    expect((await winner([0.005, 0.0045], { step: 0.1 })).place).toBe(1);
    expect((await winner([0.0045, 0.005], { step: 0.1 })).place).toBe(0);
  });

  it("takes turns, does not count the warm-up, and drops there who is far behind", async () => {
    const { place, timed, runs } = await winner([10, 9, 25]);
    expect(place).toBe(1);
    expect(runs).toBe(1);
    const raced = timed.slice(1).map(({ candidate }) => candidate);
    expect(raced).toEqual([0, 1, 2, 0, 1, 1, 0]);
  });

  it("is not won by coming later, on a device whose clock rises with work", async () => {
    expect((await winner([10, 10], { noise: (timing: number) => 40 / timing })).place).toBe(0);
    expect((await winner([10, 8], { noise: (timing: number) => 40 / timing })).place).toBe(1);
  });

  it("is not decided by one bad timing", async () => {
    // After the calibration and two warm-ups, the 4th timing is the first's in the first round that counts.
    const { place } = await winner([10, 10.5], { noise: (timing: number) => (timing === 4 ? 40 : 0) });
    expect(place).toBe(0);
    expect((await winner([10, 9], { noise: (timing: number) => (timing === 6 ? 5 : 0) })).place).toBe(0);
    // Nor is a warm-up that is a little late a reason to drop the second.
    expect((await winner([10, 8], { noise: (timing: number) => (timing === 3 ? 10 : 0) })).place).toBe(1);
  });
});
