import { describe, expect, it } from "vitest";
import { FRAMES_MS, Pace, THROUGHPUT_MS, type Ticket } from "../../src/training/pace.ts";

interface Device {
  /** What a step takes, in ms; it may change with the time. */
  readonly stepMs: number | ((now: number) => number);
  /** What the first submit takes beside, in ms. */
  readonly warmUpMs?: number;
  /** When the end of a submit is reported. */
  readonly reported?: (end: number) => number;
  /** What a page draws on it 60 times a second, in ms; where a frame is not done when the next is due, that one is dropped. */
  readonly drawMs?: number;
}

const FRAME = 1000 / 60;

/** Runs steps as `sweep` does on a device that works off one submit after the other; returns the steps of each submit. */
function simulate(device: Device, options: Partial<ConstructorParameters<typeof Pace>[0]>, steps: number) {
  let now = 0;
  const pace = new Pace({ stepsPerExecution: "auto", submitMs: FRAMES_MS, software: false, ...options }, () => now);
  const { stepMs, warmUpMs = 0, reported = (end) => end, drawMs = 0 } = device;
  const waiting: { ticket: Ticket; report: number }[] = [];
  const submits: { steps: number; start: number; ms: number }[] = [];
  let free = warmUpMs;
  let deepest = 0;
  let tick = 0;
  const drawn: number[] = [];
  /** Frames whose time has come go to the device before what is submitted next. */
  const draw = () => {
    for (; drawMs > 0 && tick <= now; tick += FRAME) {
      if ((drawn.at(-1) ?? 0) > tick) continue;
      free = Math.max(free, tick) + drawMs;
      drawn.push(free);
    }
  };
  for (let made = 0; made < steps; ) {
    const ticket = pace.submitted(pace.steps);
    draw();
    const ms = ticket.steps * (typeof stepMs === "number" ? stepMs : stepMs(now));
    const start = Math.max(free, now);
    free = start + ms;
    submits.push({ steps: ticket.steps, start, ms });
    waiting.push({ ticket, report: reported(free) });
    made += ticket.steps;
    now += 0.2;
    deepest = Math.max(deepest, waiting.length);
    while (waiting.length > 0 && (waiting.length >= pace.inFlight || waiting[0]!.report <= now)) {
      const { ticket: done, report } = waiting.shift()!;
      now = Math.max(now, report);
      pace.completed(done);
    }
  }
  const busy = submits.reduce((sum, { ms }) => sum + ms, 0);
  const settled = submits.slice(Math.floor(submits.length / 2));
  const last = drawn.slice(Math.floor(drawn.length / 2));
  const frames = ((last.length - 1) * 1000) / (last.at(-1)! - last[0]!);
  return { submits, settled, deepest, frames, idle: 1 - busy / (free - warmUpMs) };
}

const poll = (end: number) => Math.ceil(end / 100) * 100;

describe("steps a submit", () => {
  it.each([
    { stepMs: 0.05, enough: 40_000 },
    { stepMs: 1, enough: 2000 },
    { stepMs: 4, enough: 500 },
    { stepMs: 30, enough: 100 },
  ])("take 20 to 50 ms in the end, and never 100, where a step takes $stepMs ms", ({ stepMs, enough }) => {
    const { submits, settled, deepest } = simulate({ stepMs, warmUpMs: 80 }, {}, enough);
    for (const { ms } of settled) {
      expect(ms).toBeGreaterThanOrEqual(20);
      expect(ms).toBeLessThanOrEqual(50);
    }
    expect(Math.max(...submits.map(({ ms }) => ms))).toBeLessThan(100);
    expect(new Set(settled.map(({ steps }) => steps)).size).toBe(1);
    expect(deepest).toBe(3);
  });

  it("are never more than one where one takes 600 ms", () => {
    for (const submitMs of [FRAMES_MS, THROUGHPUT_MS]) {
      const { submits } = simulate({ stepMs: 600, warmUpMs: 50 }, { submitMs }, 40);
      expect(new Set(submits.map(({ steps }) => steps))).toEqual(new Set([1]));
    }
  });

  it.each([
    ["each by 11 ms", (end: number) => end + 11],
    ["at a poll each 100 ms", poll],
  ])("keep the device busy where it reports late, %s", (_, reported) => {
    const { settled, idle } = simulate({ stepMs: 1, reported }, {}, 20_000);
    expect(Math.max(...settled.map(({ ms }) => ms))).toBeLessThanOrEqual(66);
    expect(Math.min(...settled.map(({ ms }) => ms))).toBeGreaterThanOrEqual(20);
    expect(idle).toBeLessThan(0.12);
  });

  it("stay one for a slow step where reports are late too", () => {
    const { settled } = simulate({ stepMs: 600, reported: poll }, {}, 60);
    expect(new Set(settled.map(({ steps }) => steps))).toEqual(new Set([1]));
  });

  it("follow a device that becomes slower, and one that becomes faster", () => {
    const slower = simulate({ stepMs: (now) => (now < 2000 ? 1 : 8) }, {}, 3000);
    expect(slower.submits.at(-1)!.ms).toBeLessThanOrEqual(50);
    const faster = simulate({ stepMs: (now) => (now < 2000 ? 8 : 1) }, {}, 3000);
    expect(faster.submits.at(-2)!.ms).toBeGreaterThanOrEqual(20);
  });
});

describe("a frame's budget of 8 ms", () => {
  const lateness = { "at once": 0, "1 ms late": 1, "3 ms late": 3 };
  const cases = [0.05, 0.3, 1, 2.5, 3.9].flatMap((stepMs) =>
    Object.keys(lateness).map((late) => ({ stepMs, late: late as keyof typeof lateness })),
  );

  it.each(cases)(
    "leaves a page 50 frames a second and takes half the rate: $stepMs ms a step, reported $late",
    (on) => {
      const late = lateness[on.late];
      for (const drawMs of [1, 4]) {
        const device = { stepMs: on.stepMs, warmUpMs: 40, drawMs, reported: (end: number) => end + late };
        const { submits, frames, idle, deepest } = simulate(device, { submitMs: 8 }, Math.ceil(8000 / on.stepMs));
        expect(Math.max(...submits.map(({ ms }) => ms))).toBeLessThanOrEqual(4);
        expect(deepest).toBe(2);
        expect(frames).toBeGreaterThanOrEqual(50);
        expect(idle).toBeLessThan(0.5);
      }
    },
  );

  it("is one step at a time where a step takes longer than half of it, and two again when the device grows faster", () => {
    const { settled, deepest, frames, idle } = simulate({ stepMs: 6, drawMs: 4 }, { submitMs: 8 }, 1000);
    expect(deepest).toBe(2);
    expect(settled.every(({ steps }) => steps === 1)).toBe(true);
    expect(frames).toBeGreaterThanOrEqual(50);
    expect(idle).toBeLessThan(0.5);
    const faster = simulate({ stepMs: (now) => (now < 2000 ? 6 : 0.5) }, { submitMs: 8 }, 8000);
    expect(faster.submits.at(-2)!.ms).toBeGreaterThanOrEqual(1.6);
    expect(faster.idle).toBeLessThan(0.1);
  });

  it("is what leaves the frames: the default drops some, throughput first drops most", () => {
    const framesAt = (submitMs: number) => simulate({ stepMs: 1, drawMs: 4 }, { submitMs }, 8000).frames;
    expect(framesAt(FRAMES_MS)).toBeLessThan(50);
    expect(framesAt(THROUGHPUT_MS)).toBeLessThan(10);
  });
});

describe("throughput first", () => {
  it.each([
    { stepMs: 0.05, enough: 20_000 },
    { stepMs: 0.3, enough: 20_000 },
    { stepMs: 1, enough: 5000 },
    { stepMs: 10, enough: 1000 },
  ])("is at least 16 steps a submit once warm, up to 250 ms: $stepMs ms a step", ({ stepMs, enough }) => {
    const { submits, settled } = simulate({ stepMs, warmUpMs: 80 }, { submitMs: THROUGHPUT_MS }, enough);
    const warm = submits.slice(submits.findIndex(({ steps }) => steps > 1));
    // One submit warms the device up, and those that were in flight with it were made before it was known.
    expect(submits.length - warm.length).toBeLessThanOrEqual(6);
    for (const { steps, ms } of warm) {
      expect(steps).toBeGreaterThanOrEqual(16);
      expect(ms).toBeLessThanOrEqual(250);
    }
    expect(settled.at(-1)!.ms).toBeGreaterThanOrEqual(Math.min(100, 512 * stepMs));
  });

  it("keeps below 250 ms where 16 steps take longer", () => {
    const { settled } = simulate({ stepMs: 30 }, { submitMs: THROUGHPUT_MS }, 400);
    for (const { ms } of settled) expect(ms).toBeLessThanOrEqual(250);
  });

  it("goes on with what it learned in the next sweep", () => {
    let now = 0;
    const options = { stepsPerExecution: "auto", submitMs: THROUGHPUT_MS, software: false } as const;
    const pace = new Pace(options, () => now);
    for (let i = 0; i < 2; i++) {
      const ticket = pace.submitted(pace.steps);
      now += 1;
      pace.completed(ticket);
    }
    expect(pace.serves(options)).toBe(true);
    expect(pace.serves({ ...options, submitMs: FRAMES_MS })).toBe(false);
    expect(pace.serves({ ...options, stepsPerExecution: 16 })).toBe(false);
    expect(pace.steps).toBeGreaterThanOrEqual(16);
  });
});

it.each([0.05, 1, 600])("a software adapter gets one step a submit, two in flight: %d ms a step", (stepMs) => {
  for (const submitMs of [FRAMES_MS, THROUGHPUT_MS]) {
    const { submits, deepest } = simulate({ stepMs }, { software: true, submitMs }, 100);
    expect(submits.every(({ steps }) => steps === 1)).toBe(true);
    expect(deepest).toBeLessThanOrEqual(2);
  }
});

it.each([true, false])("a number of steps stays what it is: software %s", (software) => {
  const { submits } = simulate({ stepMs: 1 }, { stepsPerExecution: 7, software }, 70);
  expect(submits.every(({ steps }) => steps === 7)).toBe(true);
});
