// The parts of `npm run train` that need no browser: what it draws, records, compares and writes.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { createDisplay } from "../../cli/display.ts";
import { firstLine } from "../../cli/errors.ts";
import { DEFAULTS } from "../../cli/options.ts";
import { compareWithKeras, type GoldenEpoch, parityOptions } from "../../cli/parity.ts";
import { writeOutput } from "../../cli/report.ts";
import type { TrainEvent } from "../../cli/train-page/protocol.ts";
import { createRecorder } from "../../cli/train-page/recorder.ts";

describe("createDisplay", () => {
  const progress = { done: 1, total: 4, elapsedMs: 1000, logs: { loss: 1, accuracy: 0.5 } };

  it("redraws one line an epoch on a terminal", () => {
    const out = screen({ isTTY: true, columns: 60 });
    const display = createDisplay(out, {});
    display.epochBegin(0, 2);
    display.epochEnd({ ...progress, done: 4 });
    expect(out.text().slice(0, 11)).toBe("Epoch 1/2\n\r");
    expect(out.text().slice(-4)).toBe("\x1b[K\n");
  });

  it("prints plain finished lines elsewhere", () => {
    const out = screen({});
    const display = createDisplay(out, {});
    display.epochBegin(0, 1);
    display.progress(progress);
    display.epochEnd({ ...progress, done: 4 });
    expect(out.text()).toBe("Epoch 1/1\n4/4 ━━━━━━━━━━━━━━━━━━━━ 1s 250ms/step - accuracy: 0.5000 - loss: 1.0000\n");
  });
});

describe("createDisplay while pipelines compile", () => {
  const pipelines = (compiled: number) => ({ compiled, total: 16 });

  it("counts them in one line on a terminal, and always tells of the last", () => {
    const out = screen({ isTTY: true, columns: 60 });
    const display = createDisplay(out, {});
    vi.spyOn(performance, "now").mockReturnValue(1e9);
    display.compiling(pipelines(7));
    display.compiling(pipelines(8)); // too soon to be drawn
    display.compiling(pipelines(16));
    display.epochBegin(0, 1);
    vi.restoreAllMocks();
    expect(out.text()).toBe("\rCompiling 7/16\x1b[K\rCompiling 16/16\x1b[K\nEpoch 1/1\n");
  });

  it("says so where kernels are measured", () => {
    const out = screen({ isTTY: true, columns: 60 });
    createDisplay(out, {}).compiling({ compiled: 3, total: 3, tuning: true });
    expect(out.text()).toBe("\rTuning 3/3\x1b[K");
  });

  it("says nothing elsewhere before ten seconds have passed", () => {
    const out = screen({});
    const now = vi.spyOn(performance, "now").mockReturnValue(1000);
    const display = createDisplay(out, {});
    display.compiling(pipelines(16));
    now.mockReturnValue(12_000);
    display.compiling(pipelines(3));
    vi.restoreAllMocks();
    expect(out.text()).toBe("Compiling 3/16\n");
  });
});

describe("createRecorder", () => {
  it("times the steps between an epoch's first callback and its last, and counts a short batch's images", () => {
    let time = 0;
    const recorder = createRecorder(
      { ...DEFAULTS, trainSize: 100, batchSize: 40 },
      () => {},
      () => time,
    );
    for (let epoch = 0; epoch < 2; epoch++) {
      recorder.onEpochBegin(epoch);
      for (const [batch, ms] of [
        [0, 5000],
        [1, 30],
        [2, 50],
      ] as const) {
        time += ms;
        recorder.onTrainBatchEnd(batch, { loss: 1, accuracy: 0 });
      }
      time += 9000;
      recorder.onEpochEnd(epoch, { loss: 1 - epoch, accuracy: 0.5, val_loss: 2 });
    }
    expect(recorder.timing().msPerStep).toBeCloseTo(40);
    expect(recorder.timing().imagesPerSecond).toBeCloseTo((2 * 60) / 0.16);
    expect(recorder.history).toEqual({ loss: [1, 0], accuracy: [0.5, 0.5], val_loss: [2, 2] });
  });

  it("tells of progress no more than every 50 ms, and has no timing of a single step", () => {
    let time = 100;
    const events: TrainEvent[] = [];
    const recorder = createRecorder(
      { ...DEFAULTS, trainSize: 1000 },
      (event) => events.push(event),
      () => time,
    );
    recorder.onEpochBegin(0);
    recorder.onTrainBatchEnd(0, { loss: 1 });
    expect(recorder.timing()).toEqual({ msPerStep: null, imagesPerSecond: null });
    for (time = 110; time < 200; time += 10) recorder.onTrainBatchEnd(1, { loss: 1 });
    recorder.onEpochEnd(0, { loss: 1 });
    expect(events.map((event) => event.type)).toEqual(["epochBegin", "progress", "progress", "epochEnd"]);
    const logs = { loss: 1 };
    expect(events[1]).toEqual({
      type: "progress",
      progress: { done: 1, total: 8, elapsedMs: 0, firstStepMs: 0, logs },
    });
  });
});

describe("compareWithKeras", () => {
  const figures = { keras: "3", backend: "jax", batchSize: 128, learningRate: 0.01, train: { samples: 60_000 } };
  const golden: GoldenEpoch = { ...figures, test: { samples: 10_000, accuracy: 0.9 } };

  it.each([
    [0.9, true],
    [0.9049, true],
    [0.8951, true],
    [0.906, false],
    [Number.NaN, false],
  ])("an accuracy of %d beside 0.9 passes: %s", (accuracy, passed) => {
    expect(compareWithKeras(accuracy, golden).passed).toBe(passed);
  });

  it("trains with Keras's options", () => {
    const options = parityOptions({ ...DEFAULTS, parity: true }, golden);
    expect(options).toEqual({ ...DEFAULTS, epochs: 1, parity: true });
  });
});

describe("writeOutput", () => {
  it("replaces the file and leaves nothing else, also where it fails", () => {
    const folder = mkdtempSync(join(tmpdir(), "featuremap-report-"));
    try {
      writeOutput(join(folder, "a.json"), "1");
      writeOutput(join(folder, "a.json"), "2");
      expect(readFileSync(join(folder, "a.json"), "utf8")).toBe("2");
      expect(() => writeOutput(join(folder, "gone", "a.json"), "3")).toThrow(/^Could not write ".*a\.json": ENOENT/);
      expect(readdirSync(folder)).toEqual(["a.json"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe("firstLine", () => {
  it("drops Playwright's prefix and call log", () => {
    expect(firstLine(new Error("page.evaluate: Error: no adapter\nCall log:\n  - x"))).toBe("no adapter");
    expect(firstLine("\n plain ")).toBe("plain");
  });
});

function screen(properties: { isTTY?: boolean; columns?: number }) {
  const written: string[] = [];
  return { ...properties, write: (text: string) => written.push(text), text: () => written.join("") };
}
